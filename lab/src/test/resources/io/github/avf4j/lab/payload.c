/* Says what it is and what it was given, for the end-to-end test of verified payloads. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <vm_payload.h>

static int count(const char *path) {
  int value = 0;
  FILE *file = fopen(path, "r");
  if (file) {
    if (fscanf(file, "%d", &value) != 1) {
      value = -1;
    }
    fclose(file);
  }
  file = fopen(path, "w");
  if (!file) {
    return -1;
  }
  fprintf(file, "%d", value + 1);
  return fclose(file) == 0 ? value + 1 : -1;
}

int AVmPayload_main(void) {
  unsigned char secret[32];
  char text[64] = "";
  AVmPayload_getVmInstanceSecret("test", 4, secret, sizeof secret);
  printf("uid=%d gid=%d\n", (int)getuid(), (int)getgid());
  printf("secret=");
  for (size_t i = 0; i < sizeof secret; i++) {
    printf("%02x", secret[i]);
  }
  printf("\nnew=%d\n", AVmPayload_isNewInstance());
  FILE *file = fopen("/mnt/apk/assets/text", "r");
  if (file) {
    if (!fgets(text, sizeof text, file)) {
      text[0] = 0;
    }
    fclose(file);
  }
  printf("text=%s\n", text);
  int result = mount("none", "/tmp", "tmpfs", 0, "");
  printf("mount=%s\n", result ? strerror(errno) : "allowed");
  if (AVmPayload_getEncryptedStoragePath()) {
    printf("count=%d\n", count("/mnt/encryptedstore/count"));
  }
  AVmPayload_notifyPayloadReady();
  return 7;
}
