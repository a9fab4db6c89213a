/*
 * A payload that keeps things: answers one command a connection on vsock port 5001, and ends at "quit".
 *
 *   fingerprint     a secret of the instance for the identifier "fingerprint", in hexadecimal digits
 *   count           how often it was asked, kept in the encrypted storage
 *   greeting        a file of its APK
 *   chain           the DICE chain, in hexadecimal digits
 *   attest HEX      certificates for that challenge, the leaf first, one a line in hexadecimal digits
 *   quit            nothing; the payload ends
 *
 * An answer that begins with '!' says why there is none.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <linux/vm_sockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vm_payload_restricted.h"

enum { PORT = 5001, MAX_LINE = 256, MAX_CHALLENGE = 64 };

static void print_hex(FILE* to, const uint8_t* bytes, size_t size) {
    for (size_t i = 0; i < size; i++) fprintf(to, "%02x", bytes[i]);
    fputc('\n', to);
}

static void fingerprint(FILE* to) {
    uint8_t secret[16];
    AVmPayload_getVmInstanceSecret("fingerprint", strlen("fingerprint"), secret, sizeof secret);
    print_hex(to, secret, sizeof secret);
}

static void count(FILE* to) {
    const char* folder = AVmPayload_getEncryptedStoragePath();
    if (!folder) {
        fprintf(to, "!this machine has no encrypted storage\n");
        return;
    }
    char path[MAX_LINE], fresh[MAX_LINE];
    snprintf(path, sizeof path, "%s/count", folder);
    snprintf(fresh, sizeof fresh, "%s/count.new", folder);
    unsigned long counted = 0;
    FILE* file = fopen(path, "r");
    if (file) {
        if (fscanf(file, "%lu", &counted) != 1) counted = 0;
        fclose(file);
    }
    /* Renamed when it is on the disk, so that a power cut leaves the old count or the new one. */
    file = fopen(fresh, "w");
    if (!file || fprintf(file, "%lu", ++counted) < 0 || fflush(file) || fsync(fileno(file)) || fclose(file) ||
        rename(fresh, path)) {
        fprintf(to, "!%s: %s\n", path, strerror(errno));
        return;
    }
    /* The name is on the disk, too, before anybody is told the count. */
    int directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0 || fsync(directory)) {
        fprintf(to, "!%s: %s\n", folder, strerror(errno));
        return;
    }
    close(directory);
    fprintf(to, "%lu\n", counted);
}

static void greeting(FILE* to) {
    char path[MAX_LINE], text[MAX_LINE];
    snprintf(path, sizeof path, "%s/assets/greeting.txt", AVmPayload_getApkContentsPath());
    FILE* file = fopen(path, "r");
    if (!file || !fgets(text, sizeof text, file)) {
        fprintf(to, "!%s: %s\n", path, strerror(errno));
    } else {
        fputs(text, to);
    }
    if (file) fclose(file);
}

static void chain(FILE* to) {
    size_t size = AVmPayload_getDiceAttestationChain(NULL, 0);
    uint8_t* bytes = malloc(size);
    if (!bytes) abort();
    AVmPayload_getDiceAttestationChain(bytes, size);
    print_hex(to, bytes, size);
    free(bytes);
}

/* Returns how many bytes the digits stand for, or -1. */
static int parse_hex(const char* digits, uint8_t* bytes, size_t limit) {
    size_t length = strlen(digits);
    if (length % 2 || length / 2 > limit) return -1;
    for (size_t i = 0; i < length / 2; i++) {
        unsigned value;
        if (sscanf(digits + 2 * i, "%2x", &value) != 1) return -1;
        bytes[i] = (uint8_t)value;
    }
    return (int)(length / 2);
}

static void attest(FILE* to, const char* digits) {
    uint8_t challenge[MAX_CHALLENGE];
    int size = parse_hex(digits, challenge, sizeof challenge);
    if (size < 0) {
        fprintf(to, "!a challenge has at most %d bytes, in hexadecimal digits\n", MAX_CHALLENGE);
        return;
    }
    AVmAttestationResult* result;
    AVmAttestationStatus status = AVmPayload_requestAttestation(challenge, (size_t)size, &result);
    if (status != ATTESTATION_OK) {
        fprintf(to, "!%s\n", AVmAttestationStatus_toString(status));
        return;
    }
    for (size_t i = 0; i < AVmAttestationResult_getCertificateCount(result); i++) {
        size_t length = AVmAttestationResult_getCertificateAt(result, i, NULL, 0);
        uint8_t* certificate = malloc(length);
        if (!certificate) abort();
        AVmAttestationResult_getCertificateAt(result, i, certificate, length);
        print_hex(to, certificate, length);
        free(certificate);
    }
    AVmAttestationResult_free(result);
}

/* Returns whether there may be another command. */
static bool answer(FILE* from, FILE* to) {
    char line[MAX_LINE];
    if (!fgets(line, sizeof line, from)) return true;
    line[strcspn(line, "\n")] = '\0';
    if (!strcmp(line, "quit")) return false;
    if (!strcmp(line, "fingerprint")) fingerprint(to);
    else if (!strcmp(line, "count")) count(to);
    else if (!strcmp(line, "greeting")) greeting(to);
    else if (!strcmp(line, "chain")) chain(to);
    else if (!strncmp(line, "attest ", 7)) attest(to, line + 7);
    else fprintf(to, "!no such command\n");
    return true;
}

int AVmPayload_main(void) {
    int listener = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_vm address = {.svm_family = AF_VSOCK, .svm_port = PORT, .svm_cid = VMADDR_CID_ANY};
    if (listener < 0 || bind(listener, (struct sockaddr*)&address, sizeof address) || listen(listener, 8)) {
        perror("vault: cannot listen");
        return 1;
    }
    AVmPayload_notifyPayloadReady();
    for (bool more = true; more;) {
        int client = accept(listener, NULL, NULL);
        FILE* from = client < 0 ? NULL : fdopen(client, "r");
        FILE* to = client < 0 ? NULL : fdopen(dup(client), "w");
        if (from && to) more = answer(from, to);
        if (to) fclose(to);
        if (from) fclose(from);
    }
    return 0;
}
