/*
 * A payload that serves io.github.avf4j.lab.IAdder on vsock port 5003, by RPC Binder.
 *
 *   1  int add(int a, int b)
 *   2  byte[] secret(String identifier)
 *   3  int twice(ICallback callback, int value): what callback.next(callback.next(value)) gives
 *   4  void fail(int error, String message): a service-specific error
 *   5  oneway void quit(int code): the payload exits
 */
#include <stdlib.h>
#include <string.h>

#include "android/binder_ibinder.h"
#include "android/binder_parcel.h"
#include "android/binder_status.h"
#include "vm_payload.h"

enum { PORT = 5003, SECRET = 32 };

static AIBinder_Class* callback_class;

static bool allocate(void* target, int32_t length, char** buffer) {
    if (length < 1) return false;
    *buffer = *(char**)target = malloc((size_t)length);
    return *buffer != NULL;
}

static binder_status_t succeed(AParcel* out) {
    AStatus* ok = AStatus_newOk();
    binder_status_t status = AParcel_writeStatusHeader(out, ok);
    AStatus_delete(ok);
    return status;
}

static binder_status_t add(const AParcel* in, AParcel* out) {
    int32_t a = 0, b = 0;
    binder_status_t status = AParcel_readInt32(in, &a);
    if (status == STATUS_OK) status = AParcel_readInt32(in, &b);
    if (status == STATUS_OK) status = succeed(out);
    if (status == STATUS_OK) status = AParcel_writeInt32(out, (int32_t)((uint32_t)a + (uint32_t)b));
    return status;
}

static binder_status_t secret(const AParcel* in, AParcel* out) {
    char* identifier = NULL;
    binder_status_t status = AParcel_readString(in, &identifier, allocate);
    if (status == STATUS_OK) status = succeed(out);
    if (status == STATUS_OK) {
        int8_t bytes[SECRET];
        AVmPayload_getVmInstanceSecret(identifier, strlen(identifier), bytes, sizeof bytes);
        status = AParcel_writeByteArray(out, bytes, sizeof bytes);
    }
    free(identifier);
    return status;
}

static binder_status_t next(AIBinder* callback, int32_t* value) {
    AParcel *call = NULL, *answer = NULL;
    binder_status_t status = AIBinder_prepareTransaction(callback, &call);
    if (status == STATUS_OK) status = AParcel_writeInt32(call, *value);
    if (status == STATUS_OK) status = AIBinder_transact(callback, FIRST_CALL_TRANSACTION, &call, &answer, 0);
    AStatus* thrown = NULL;
    if (status == STATUS_OK) status = AParcel_readStatusHeader(answer, &thrown);
    if (status == STATUS_OK && !AStatus_isOk(thrown)) status = STATUS_FAILED_TRANSACTION;
    if (status == STATUS_OK) status = AParcel_readInt32(answer, value);
    AStatus_delete(thrown);
    AParcel_delete(answer);
    return status;
}

static binder_status_t twice(const AParcel* in, AParcel* out) {
    AIBinder* callback = NULL;
    int32_t value = 0;
    binder_status_t status = AParcel_readStrongBinder(in, &callback);
    if (status == STATUS_OK) status = AParcel_readInt32(in, &value);
    if (status == STATUS_OK && !AIBinder_associateClass(callback, callback_class)) status = STATUS_BAD_TYPE;
    if (status == STATUS_OK) status = next(callback, &value);
    if (status == STATUS_OK) status = next(callback, &value);
    if (status == STATUS_OK) status = succeed(out);
    if (status == STATUS_OK) status = AParcel_writeInt32(out, value);
    AIBinder_decStrong(callback);
    return status;
}

static binder_status_t fail(const AParcel* in, AParcel* out) {
    int32_t error = 0;
    char* message = NULL;
    binder_status_t status = AParcel_readInt32(in, &error);
    if (status == STATUS_OK) status = AParcel_readString(in, &message, allocate);
    if (status == STATUS_OK) {
        AStatus* thrown = AStatus_fromServiceSpecificErrorWithMessage(error, message);
        status = AParcel_writeStatusHeader(out, thrown);
        AStatus_delete(thrown);
    }
    free(message);
    return status;
}

static binder_status_t quit(const AParcel* in) {
    int32_t code = 0;
    if (AParcel_readInt32(in, &code) == STATUS_OK) exit(code);
    return STATUS_BAD_VALUE;
}

static binder_status_t on_transact(AIBinder* binder, transaction_code_t code, const AParcel* in, AParcel* out) {
    if (AIBinder_getUserData(binder) != NULL) return STATUS_UNKNOWN_ERROR;
    switch (code) {
        case 1: return add(in, out);
        case 2: return secret(in, out);
        case 3: return twice(in, out);
        case 4: return fail(in, out);
        case 5: return quit(in);
        default: return STATUS_UNKNOWN_TRANSACTION;
    }
}

static binder_status_t no_transact(AIBinder* binder, transaction_code_t code, const AParcel* in, AParcel* out) {
    (void)binder, (void)code, (void)in, (void)out;
    return STATUS_UNKNOWN_TRANSACTION;
}

static void* on_create(void* args) { return args; }

static void on_destroy(void* data) { (void)data; }

static void on_ready(void* param) {
    (void)param;
    AVmPayload_notifyPayloadReady();
}

int AVmPayload_main(void) {
    AIBinder_Class* clazz = AIBinder_Class_define("io.github.avf4j.lab.IAdder", on_create, on_destroy, on_transact);
    callback_class = AIBinder_Class_define("io.github.avf4j.lab.ICallback", on_create, on_destroy, no_transact);
    AVmPayload_runVsockRpcServer(AIBinder_new(clazz, NULL), PORT, on_ready, NULL);
}
