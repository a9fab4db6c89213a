/*
 * Parcels: the arguments and results of calls. Names and semantics are those of Android's NDK, so that a service written
 * for one compiles for the other; the README of libbinder_ndk lists what is here.
 *
 * A parcel has one position, where values are written and read in the order of the interface. A read that fails has no
 * result: STATUS_NOT_ENOUGH_DATA beyond the end, STATUS_BAD_VALUE for a wrong count, STATUS_UNEXPECTED_NULL for a null
 * that was not allowed, STATUS_PERMISSION_DENIED for an object that is read as something else. A parcel is used by one
 * thread at a time.
 */
#ifndef ANDROID_BINDER_PARCEL_H
#define ANDROID_BINDER_PARCEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "binder_ibinder.h"
#include "binder_status.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Gives room for what is read: sets *buffer to `length` elements and returns true, or returns false. The length is -1
 * for null, which an allocator allows by returning true; *buffer is then not used. The length of a string counts its
 * NUL.
 */
typedef bool (*AParcel_stringAllocator)(void* stringData, int32_t length, char** buffer);
typedef bool (*AParcel_byteArrayAllocator)(void* arrayData, int32_t length, int8_t** outBuffer);
typedef bool (*AParcel_int32ArrayAllocator)(void* arrayData, int32_t length, int32_t** outBuffer);
typedef bool (*AParcel_uint32ArrayAllocator)(void* arrayData, int32_t length, uint32_t** outBuffer);
typedef bool (*AParcel_int64ArrayAllocator)(void* arrayData, int32_t length, int64_t** outBuffer);
typedef bool (*AParcel_uint64ArrayAllocator)(void* arrayData, int32_t length, uint64_t** outBuffer);
typedef bool (*AParcel_floatArrayAllocator)(void* arrayData, int32_t length, float** outBuffer);
typedef bool (*AParcel_doubleArrayAllocator)(void* arrayData, int32_t length, double** outBuffer);

AParcel* AParcel_create(void);

/* Null is allowed. */
void AParcel_delete(AParcel* parcel);

/* Makes a parcel empty. */
binder_status_t AParcel_reset(AParcel* parcel);

int32_t AParcel_getDataPosition(const AParcel* parcel);
binder_status_t AParcel_setDataPosition(const AParcel* parcel, int32_t position);
int32_t AParcel_getDataSize(const AParcel* parcel);

binder_status_t AParcel_writeInt32(AParcel* parcel, int32_t value);
binder_status_t AParcel_writeUint32(AParcel* parcel, uint32_t value);
binder_status_t AParcel_writeInt64(AParcel* parcel, int64_t value);
binder_status_t AParcel_writeUint64(AParcel* parcel, uint64_t value);
binder_status_t AParcel_writeFloat(AParcel* parcel, float value);
binder_status_t AParcel_writeDouble(AParcel* parcel, double value);
binder_status_t AParcel_writeBool(AParcel* parcel, bool value);
binder_status_t AParcel_writeByte(AParcel* parcel, int8_t value);
/* One unit of UTF-16. */
binder_status_t AParcel_writeChar(AParcel* parcel, uint16_t value);

binder_status_t AParcel_readInt32(const AParcel* parcel, int32_t* value);
binder_status_t AParcel_readUint32(const AParcel* parcel, uint32_t* value);
binder_status_t AParcel_readInt64(const AParcel* parcel, int64_t* value);
binder_status_t AParcel_readUint64(const AParcel* parcel, uint64_t* value);
binder_status_t AParcel_readFloat(const AParcel* parcel, float* value);
binder_status_t AParcel_readDouble(const AParcel* parcel, double* value);
binder_status_t AParcel_readBool(const AParcel* parcel, bool* value);
binder_status_t AParcel_readByte(const AParcel* parcel, int8_t* value);
binder_status_t AParcel_readChar(const AParcel* parcel, uint16_t* value);

/* UTF-8 of `length` bytes, without a NUL; null with the length -1. */
binder_status_t AParcel_writeString(AParcel* parcel, const char* string, int32_t length);
binder_status_t AParcel_readString(const AParcel* parcel, void* stringData, AParcel_stringAllocator allocator);

/* Null with the length -1. */
binder_status_t AParcel_writeByteArray(AParcel* parcel, const int8_t* arrayData, int32_t length);
binder_status_t AParcel_writeInt32Array(AParcel* parcel, const int32_t* arrayData, int32_t length);
binder_status_t AParcel_writeUint32Array(AParcel* parcel, const uint32_t* arrayData, int32_t length);
binder_status_t AParcel_writeInt64Array(AParcel* parcel, const int64_t* arrayData, int32_t length);
binder_status_t AParcel_writeUint64Array(AParcel* parcel, const uint64_t* arrayData, int32_t length);
binder_status_t AParcel_writeFloatArray(AParcel* parcel, const float* arrayData, int32_t length);
binder_status_t AParcel_writeDoubleArray(AParcel* parcel, const double* arrayData, int32_t length);

binder_status_t AParcel_readByteArray(const AParcel* parcel, void* arrayData, AParcel_byteArrayAllocator allocator);
binder_status_t AParcel_readInt32Array(const AParcel* parcel, void* arrayData, AParcel_int32ArrayAllocator allocator);
binder_status_t AParcel_readUint32Array(const AParcel* parcel, void* arrayData, AParcel_uint32ArrayAllocator allocator);
binder_status_t AParcel_readInt64Array(const AParcel* parcel, void* arrayData, AParcel_int64ArrayAllocator allocator);
binder_status_t AParcel_readUint64Array(const AParcel* parcel, void* arrayData, AParcel_uint64ArrayAllocator allocator);
binder_status_t AParcel_readFloatArray(const AParcel* parcel, void* arrayData, AParcel_floatArrayAllocator allocator);
binder_status_t AParcel_readDoubleArray(const AParcel* parcel, void* arrayData, AParcel_doubleArrayAllocator allocator);

/* An object, or null. The parcel gets a reference of its own. */
binder_status_t AParcel_writeStrongBinder(AParcel* parcel, AIBinder* binder);

/* *binder is a reference that the caller gives back with AIBinder_decStrong. */
binder_status_t AParcel_readStrongBinder(const AParcel* parcel, AIBinder** binder);
binder_status_t AParcel_readNullableStrongBinder(const AParcel* parcel, AIBinder** binder);

/*
 * What a method reports before its results. For EX_TRANSACTION_FAILED nothing is written, and its status is returned:
 * a service returns it, too.
 */
binder_status_t AParcel_writeStatusHeader(AParcel* parcel, const AStatus* status);

/* *status is the caller's, who frees it with AStatus_delete. */
binder_status_t AParcel_readStatusHeader(const AParcel* parcel, AStatus** status);

#ifdef __cplusplus
}
#endif

#endif
