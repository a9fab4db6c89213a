/*
 * What only payloads may call that were started from a configuration file in their APK; for others the first two
 * functions abort. Sizes and aborts are as in vm_payload.h.
 */
#ifndef VM_PAYLOAD_RESTRICTED_H
#define VM_PAYLOAD_RESTRICTED_H

#include "vm_payload.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Size style: the DICE chain up to the payload, in CBOR. */
size_t AVmPayload_getDiceAttestationChain(void* data, size_t size);

/* Size style: the payload's CDI to attest with, a secret of 32 bytes. */
size_t AVmPayload_getDiceAttestationCdi(void* data, size_t size);

/* As AVmPayload_requestAttestation, with a key of the remote side that is for tests and that no one should trust. */
AVmAttestationStatus AVmPayload_requestAttestationForTesting(const void* challenge, size_t challenge_size,
                                                             AVmAttestationResult** result);

#ifdef __cplusplus
}
#endif

#endif
