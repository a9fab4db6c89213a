/*
 * What comes of calls. Names and semantics are those of Android's NDK, so that a service written for one compiles for
 * the other; the README of libbinder_ndk lists what is here.
 */
#ifndef ANDROID_BINDER_STATUS_H
#define ANDROID_BINDER_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What comes of a transaction: 0, or one of the negative values below. */
typedef int32_t binder_status_t;

enum {
    STATUS_OK = 0,
    STATUS_UNKNOWN_ERROR = INT32_MIN,
    STATUS_BAD_TYPE = INT32_MIN + 1,
    STATUS_FAILED_TRANSACTION = INT32_MIN + 2,
    STATUS_FDS_NOT_ALLOWED = INT32_MIN + 7,
    STATUS_UNEXPECTED_NULL = INT32_MIN + 8,
    STATUS_PERMISSION_DENIED = -1,
    STATUS_NAME_NOT_FOUND = -2,
    STATUS_WOULD_BLOCK = -11,
    STATUS_NO_MEMORY = -12,
    STATUS_ALREADY_EXISTS = -17,
    STATUS_NO_INIT = -19,
    STATUS_BAD_VALUE = -22,
    STATUS_DEAD_OBJECT = -32,
    STATUS_INVALID_OPERATION = -38,
    STATUS_NOT_ENOUGH_DATA = -61,
    STATUS_UNKNOWN_TRANSACTION = -74,
    STATUS_BAD_INDEX = -75,
    STATUS_TIMED_OUT = -110,
};

/* What a method reports before its results: 0, or an exception. */
typedef int32_t binder_exception_t;

enum {
    EX_NONE = 0,
    EX_SECURITY = -1,
    EX_BAD_PARCELABLE = -2,
    EX_ILLEGAL_ARGUMENT = -3,
    EX_NULL_POINTER = -4,
    EX_ILLEGAL_STATE = -5,
    EX_NETWORK_MAIN_THREAD = -6,
    EX_UNSUPPORTED_OPERATION = -7,
    EX_SERVICE_SPECIFIC = -8,
    EX_PARCELABLE = -9,
    /* Not an exception: the transaction failed, and AStatus_getStatus says how. */
    EX_TRANSACTION_FAILED = -129,
};

/* Success, an exception, or a failed transaction. Owned by whoever got it; AStatus_delete frees it. */
typedef struct AStatus AStatus;

AStatus* AStatus_newOk(void);

/* A code that is none of the above becomes EX_TRANSACTION_FAILED. Messages are UTF-8, copied, and may be null. */
AStatus* AStatus_fromExceptionCode(binder_exception_t exception);
AStatus* AStatus_fromExceptionCodeWithMessage(binder_exception_t exception, const char* message);

/* EX_SERVICE_SPECIFIC with an error whose meaning is the service's. */
AStatus* AStatus_fromServiceSpecificError(int32_t error);
AStatus* AStatus_fromServiceSpecificErrorWithMessage(int32_t error, const char* message);

/* Success, or EX_TRANSACTION_FAILED; a status that has no name becomes STATUS_UNKNOWN_ERROR. */
AStatus* AStatus_fromStatus(binder_status_t status);

bool AStatus_isOk(const AStatus* status);

binder_exception_t AStatus_getExceptionCode(const AStatus* status);

/* 0 unless the exception is EX_SERVICE_SPECIFIC. */
int32_t AStatus_getServiceSpecificError(const AStatus* status);

/* STATUS_OK unless the exception is EX_TRANSACTION_FAILED. */
binder_status_t AStatus_getStatus(const AStatus* status);

/* A text for people; AStatus_deleteDescription frees it. */
const char* AStatus_getDescription(const AStatus* status);
void AStatus_deleteDescription(const char* description);

/* Null is allowed. */
void AStatus_delete(AStatus* status);

#ifdef __cplusplus
}
#endif

#endif
