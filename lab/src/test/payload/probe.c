/*
 * A payload that ends in the way it is asked to: answers one command a connection on vsock port 5002.
 *
 *   new        whether this is the first boot of the instance, 1 or 0
 *   secret     8 bytes of a secret of the instance
 *   keep C     how many bytes were kept: 32 times C, protected against rollback; or a status below 0
 *   kept       C, or a status below 0
 *   chain      how many bytes the DICE chain has
 *   dice       the DICE chain in hexadecimal digits
 *   rights     who it is, and what it is told when it mounts something
 *   exit N     nothing; the payload returns N
 *   signal N   nothing; the payload dies of signal N
 *   cat PATH   the content of a file
 *
 * A package with assets/print.txt, a list of paths, gets these files printed instead.
 */
#include <errno.h>
#include <sys/socket.h>
#include <linux/vm_sockets.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "vm_payload_restricted.h"

enum { PORT = 5002, MAX_LINE = 256, KEPT = 32 };

/* 32 equal bytes, as they were kept. */
static void kept(FILE* to) {
    char value[KEPT];
    int32_t status = AVmPayload_readRollbackProtectedSecret(value, sizeof value);
    for (int i = 1; status == KEPT && i < KEPT; i++)
        if (value[i] != value[0]) status = -100;
    if (status == KEPT) fprintf(to, "%c\n", value[0]);
    else fprintf(to, "%d\n", status);
}

static void keep(FILE* to, char c) {
    char value[KEPT];
    memset(value, c, sizeof value);
    fprintf(to, "%d\n", AVmPayload_writeRollbackProtectedSecret(value, sizeof value));
}

static void secret(FILE* to) {
    unsigned char value[8];
    AVmPayload_getVmInstanceSecret("probe", 5, value, sizeof value);
    for (size_t i = 0; i < sizeof value; i++) fprintf(to, "%02x", value[i]);
    fputc('\n', to);
}

static void cat(const char* path, FILE* to) {
    FILE* file = fopen(path, "r");
    if (!file) {
        fprintf(to, "!%s: %s\n", path, strerror(errno));
        return;
    }
    char bytes[4096];
    size_t count;
    while ((count = fread(bytes, 1, sizeof bytes, file))) fwrite(bytes, 1, count, to);
    if (ferror(file)) fprintf(to, "!%s: %s\n", path, strerror(errno));
    fclose(file);
}

static void print_chain(FILE* to) {
    static unsigned char chain[1 << 16];
    size_t length = AVmPayload_getDiceAttestationChain(chain, sizeof chain);
    for (size_t i = 0; i < length && i < sizeof chain; i++) fprintf(to, "%02x", chain[i]);
    fputc('\n', to);
}

/* Returns whether there was something to print. */
static int print_all(void) {
    FILE* list = fopen("/mnt/apk/assets/print.txt", "r");
    char line[MAX_LINE];
    if (!list) return 0;
    while (fgets(line, sizeof line, list)) {
        line[strcspn(line, "\n")] = '\0';
        cat(line, stdout);
    }
    fclose(list);
    fflush(stdout);
    return 1;
}

/* Returns with what the payload shall exit, or -1 to go on. */
static int answer(FILE* from, FILE* to) {
    char line[MAX_LINE];
    if (!fgets(line, sizeof line, from)) return -1;
    line[strcspn(line, "\n")] = '\0';
    if (!strcmp(line, "new")) fprintf(to, "%d\n", AVmPayload_isNewInstance());
    else if (!strcmp(line, "secret")) secret(to);
    else if (!strncmp(line, "keep ", 5)) keep(to, line[5]);
    else if (!strcmp(line, "kept")) kept(to);
    else if (!strcmp(line, "chain")) fprintf(to, "%zu\n", AVmPayload_getDiceAttestationChain(NULL, 0));
    else if (!strcmp(line, "dice")) print_chain(to);
    else if (!strcmp(line, "rights"))
        fprintf(to, "uid=%d gid=%d mount=%s\n", getuid(), getgid(),
                mount("none", "/mnt", "tmpfs", 0, NULL) ? strerror(errno) : "allowed");
    else if (!strncmp(line, "exit ", 5)) return atoi(line + 5);
    else if (!strncmp(line, "signal ", 7)) raise(atoi(line + 7));
    else if (!strncmp(line, "cat ", 4)) cat(line + 4, to);
    else fprintf(to, "!no such command\n");
    return -1;
}

int AVmPayload_main(void) {
    if (print_all()) return 0;
    int listener = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_vm address = {.svm_family = AF_VSOCK, .svm_port = PORT, .svm_cid = VMADDR_CID_ANY};
    if (listener < 0 || bind(listener, (struct sockaddr*)&address, sizeof address) || listen(listener, 8)) {
        perror("probe: cannot listen");
        return 1;
    }
    AVmPayload_notifyPayloadReady();
    int code = -1;
    while (code < 0) {
        int client = accept(listener, NULL, NULL);
        FILE* from = client < 0 ? NULL : fdopen(client, "r");
        FILE* to = client < 0 ? NULL : fdopen(dup(client), "w");
        if (from && to) code = answer(from, to);
        if (to) fclose(to);
        if (from) fclose(from);
    }
    return code;
}
