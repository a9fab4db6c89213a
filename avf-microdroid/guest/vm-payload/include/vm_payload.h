/*
 * The API that a native payload of a virtual machine uses. Names and semantics are those of the Android Virtualization
 * Framework, so that a payload written for one compiles for the other.
 *
 * A payload is a shared library that exports AVmPayload_main. None of these functions may be called before
 * AVmPayload_main runs. All of them can be called on any thread.
 *
 * "Size style" functions copy at most `size` bytes to `data` and return how many there are in all; `data` may be null
 * if `size` is 0. Call one with size 0 to learn how much room is needed.
 *
 * A function that "aborts" ends the process with SIGABRT and says why on stderr. All that ask the virtual machine's
 * manager abort if it cannot be reached.
 */
#ifndef VM_PAYLOAD_H
#define VM_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__cplusplus)
#define AVMPAYLOAD_NORETURN [[noreturn]]
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define AVMPAYLOAD_NORETURN _Noreturn
#else
#define AVMPAYLOAD_NORETURN
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* An object of libbinder_ndk: see android/binder_ibinder.h. */
typedef struct AIBinder AIBinder;

/* An attestation: a private key and certificates that say where the key was made. */
typedef struct AVmAttestationResult AVmAttestationResult;

/* What came of a request for an attestation. */
typedef enum AVmAttestationStatus {
    ATTESTATION_OK = 0,
    /* The challenge has more than 64 bytes. */
    ATTESTATION_ERROR_INVALID_CHALLENGE = -10001,
    /* The attestation failed; the manager's log says why. Trying again later may help. */
    ATTESTATION_ERROR_ATTESTATION_FAILED = -10002,
    /* The virtual machine or its host cannot attest. */
    ATTESTATION_ERROR_UNSUPPORTED = -10003,
} AVmAttestationStatus;

/* Why a secret that is protected against rollback was not read or written. */
typedef enum AVmAccessRollbackProtectedSecretStatus {
    /* Nothing was written yet, or what was written was deleted. */
    AVMACCESSROLLBACKPROTECTEDSECRETSTATUS_ENTRY_NOT_FOUND = -1,
    /* Fewer bytes than a secret has. */
    AVMACCESSROLLBACKPROTECTEDSECRETSTATUS_BAD_SIZE = -2,
    /* The virtual machine has no such storage, or the storage refuses. */
    AVMACCESSROLLBACKPROTECTEDSECRETSTATUS_ACCESS_FAILED = -3,
} AVmAccessRollbackProtectedSecretStatus;

/* The payload defines this; its return value is the payload's exit code. */
extern int AVmPayload_main(void);

/* Tells the host that the payload serves clients. Only the first call has an effect. */
void AVmPayload_notifyPayloadReady(void);

/*
 * Serves an object to the host on a vsock port, by RPC Binder, and never returns. Others than the host cannot connect.
 *
 * `on_ready`, which may be null, is called once with `param` when clients can connect; AVmPayload_notifyPayloadReady is
 * what most call there. The calls of a client come one at a time, those of several clients at once. Aborts if the object
 * is null, the port cannot be had, or the server ends.
 */
AVMPAYLOAD_NORETURN void AVmPayload_runVsockRpcServer(AIBinder* service, uint32_t port, void (*on_ready)(void* param),
                                                      void* param);

/*
 * Gives a secret of this instance of the virtual machine, `size` bytes, at most 32; aborts if it is asked for more.
 *
 * The same identifier gives the same secret over all boots of the instance. Another instance, signer or debug level, or
 * another identifier, gives another one.
 */
void AVmPayload_getVmInstanceSecret(const void* identifier, size_t identifier_size, void* secret, size_t size);

/* Where the content of the payload's APK is. */
const char* AVmPayload_getApkContentsPath(void);

/* Where the encrypted storage of the instance is, or null if it has none. */
const char* AVmPayload_getEncryptedStoragePath(void);

/*
 * Requests an attestation that contains a challenge of 0 to 64 bytes. Only if the status is ATTESTATION_OK is *result
 * set; the caller frees it with AVmAttestationResult_free.
 */
AVmAttestationStatus AVmPayload_requestAttestation(const void* challenge, size_t challenge_size,
                                                   AVmAttestationResult** result);

/* What a status means, for people. The text is static. */
const char* AVmAttestationStatus_toString(AVmAttestationStatus status);

/* Frees a result and wipes its key; null is allowed. */
void AVmAttestationResult_free(AVmAttestationResult* result);

/* Size style: the private key, a DER-encoded ECPrivateKey of P-256 (RFC 5915). */
size_t AVmAttestationResult_getPrivateKey(const AVmAttestationResult* result, void* data, size_t size);

/*
 * Signs a message with the private key: ECDSA with P-256 and SHA-256, DER-encoded, another signature each time.
 *
 * Signatures differ in length. The length is returned if `size` suffices; else as much as fits is copied and 72 is
 * returned, which always suffices. Aborts if the message is empty.
 */
size_t AVmAttestationResult_sign(const AVmAttestationResult* result, const void* message, size_t message_size,
                                 void* data, size_t size);

/* The number of certificates: that of the private key first, each signed by the one after it. */
size_t AVmAttestationResult_getCertificateCount(const AVmAttestationResult* result);

/* Size style: a DER-encoded X.509 certificate. Aborts if there is none of this index. */
size_t AVmAttestationResult_getCertificateAt(const AVmAttestationResult* result, size_t index, void* data,
                                             size_t size);

/*
 * Reads the secret that was last written with AVmPayload_writeRollbackProtectedSecret, in size style; or returns an
 * AVmAccessRollbackProtectedSecretStatus. Bringing back older disks of the instance does not bring back an older secret.
 */
int32_t AVmPayload_readRollbackProtectedSecret(void* data, size_t size);

/*
 * Writes a secret of 32 bytes, the first of those given, in place of the last one. Returns how many bytes were written,
 * or an AVmAccessRollbackProtectedSecretStatus.
 */
int32_t AVmPayload_writeRollbackProtectedSecret(const void* data, size_t size);

/* Whether this is the first boot of the instance. */
bool AVmPayload_isNewInstance(void);

#ifdef __cplusplus
}
#endif

#endif
