/* A payload's use of the API: the first argument says which, and stdout what came of it. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vm_payload_restricted.h"

static void print_hex(const char* name, const void* data, size_t size) {
    const unsigned char* bytes = data;
    printf("%s=", name);
    for (size_t i = 0; i < size; i++) printf("%02x", bytes[i]);
    printf("\n");
}

/* Asks for the size, for a part, and for all, and prints all. */
#define PRINT_SIZED(name, call)                                           \
    do {                                                                  \
        unsigned char data[2048];                                         \
        unsigned char part[4] = {0, 0, 0xee, 0xee};                       \
        size_t total = call(NULL, 0);                                     \
        assert(total <= sizeof(data));                                    \
        assert(call(part, 2) == total && part[2] == 0xee);                \
        assert(call(data, sizeof(data)) == total);                        \
        assert(total < 2 || memcmp(data, part, 2) == 0);                  \
        print_hex(name, data, total);                                     \
    } while (0)

static AVmAttestationResult* result;
static size_t certificate_index;

static size_t private_key(void* data, size_t size) { return AVmAttestationResult_getPrivateKey(result, data, size); }
static size_t certificate(void* data, size_t size) {
    return AVmAttestationResult_getCertificateAt(result, certificate_index, data, size);
}

static int attest(int testing, size_t challenge_size) {
    const char challenge[65] = "challenge";
    AVmAttestationResult* const untouched = result;
    AVmAttestationStatus status = testing
        ? AVmPayload_requestAttestationForTesting(challenge, challenge_size, &result)
        : AVmPayload_requestAttestation(challenge_size ? challenge : NULL, challenge_size, &result);
    printf("status=%d %s\n", (int)status, AVmAttestationStatus_toString(status));
    if (status != ATTESTATION_OK) assert(result == untouched);
    return status == ATTESTATION_OK;
}

static void use_attestation(void) {
    unsigned char signature[80];
    PRINT_SIZED("key", private_key);
    printf("certificates=%zu\n", AVmAttestationResult_getCertificateCount(result));
    for (; certificate_index < AVmAttestationResult_getCertificateCount(result); certificate_index++)
        PRINT_SIZED("certificate", certificate);
    assert(AVmAttestationResult_sign(result, "message", 7, NULL, 0) == 72);
    memset(signature, 0xee, sizeof(signature));
    assert(AVmAttestationResult_sign(result, "message", 7, signature, 10) == 72);
    assert(signature[0] == 0x30 && signature[10] == 0xee);
    for (int i = 0; i < 2; i++) {
        size_t length = AVmAttestationResult_sign(result, "message", 7, signature, sizeof(signature));
        assert(length <= 72);
        print_hex("signature", signature, length);
    }
    AVmAttestationResult_free(result);
    AVmAttestationResult_free(NULL);
}

static void use_secrets(void) {
    unsigned char secret[33];
    memset(secret, 0xee, sizeof(secret));
    AVmPayload_getVmInstanceSecret("id", 2, secret, 32);
    assert(secret[32] == 0xee);
    print_hex("secret", secret, 32);
    AVmPayload_getVmInstanceSecret(NULL, 0, secret, 16);
    print_hex("secret", secret, 16);
    AVmPayload_getVmInstanceSecret("id", 2, NULL, 0);
}

static void use_rollback_protection(void) {
    unsigned char secret[40];
    for (size_t i = 0; i < sizeof(secret); i++) secret[i] = (unsigned char)i;
    printf("read=%d\n", AVmPayload_readRollbackProtectedSecret(secret, sizeof(secret)));
    printf("write=%d\n", AVmPayload_writeRollbackProtectedSecret(secret, 31));
    printf("write=%d\n", AVmPayload_writeRollbackProtectedSecret(secret, sizeof(secret)));
    memset(secret, 0xee, sizeof(secret));
    printf("read=%d\n", AVmPayload_readRollbackProtectedSecret(NULL, 0));
    printf("read=%d\n", AVmPayload_readRollbackProtectedSecret(secret, sizeof(secret)));
    assert(secret[32] == 0xee);
    print_hex("secret", secret, 32);
}

int AVmPayload_main(void) { return 0; }

int main(int count, char** arguments) {
    assert(count == 2);
    const char* use = arguments[1];
    unsigned char buffer[64];
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!strcmp(use, "ready")) {
        AVmPayload_notifyPayloadReady();
        AVmPayload_notifyPayloadReady();
    } else if (!strcmp(use, "secrets")) {
        use_secrets();
    } else if (!strcmp(use, "long-secret")) {
        AVmPayload_getVmInstanceSecret("id", 2, buffer, 33);
    } else if (!strcmp(use, "null-identifier")) {
        AVmPayload_getVmInstanceSecret(NULL, 2, buffer, 32);
    } else if (!strcmp(use, "serve-nothing")) {
        AVmPayload_runVsockRpcServer(NULL, 5000, NULL, NULL);
    } else if (!strcmp(use, "null-secret")) {
        AVmPayload_getVmInstanceSecret("id", 2, NULL, 32);
    } else if (!strcmp(use, "dice")) {
        PRINT_SIZED("chain", AVmPayload_getDiceAttestationChain);
        PRINT_SIZED("cdi", AVmPayload_getDiceAttestationCdi);
    } else if (!strcmp(use, "attest")) {
        if (attest(0, 9)) use_attestation();
    } else if (!strcmp(use, "attest-testing")) {
        if (attest(1, 64)) AVmAttestationResult_free(result);
    } else if (!strcmp(use, "attest-nothing")) {
        if (attest(0, 0)) AVmAttestationResult_free(result);
    } else if (!strcmp(use, "attest-long")) {
        attest(0, 65);
    } else if (!strcmp(use, "attest-null")) {
        AVmPayload_requestAttestation("c", 1, NULL);
    } else if (!strcmp(use, "sign-nothing")) {
        if (attest(0, 9)) AVmAttestationResult_sign(result, "", 0, buffer, sizeof(buffer));
    } else if (!strcmp(use, "certificate-beyond")) {
        if (attest(0, 9)) AVmAttestationResult_getCertificateAt(result, 2, buffer, sizeof(buffer));
    } else if (!strcmp(use, "rollback")) {
        use_rollback_protection();
    } else if (!strcmp(use, "new-instance")) {
        printf("new=%d\n", AVmPayload_isNewInstance());
    } else if (!strcmp(use, "paths")) {
        const char* storage = AVmPayload_getEncryptedStoragePath();
        printf("apk=%s\nstorage=%s\n", AVmPayload_getApkContentsPath(), storage ? storage : "none");
    } else {
        return 2;
    }
    return 0;
}
