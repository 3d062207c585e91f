/* Runs a fuzz target over the files of a folder: the corpus as an ordinary test. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *folder, const char *name)
{
    char path[4096];
    static uint8_t bytes[1 << 20];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");

    if (!f)
        return -1;
    size_t n = fread(bytes, 1, sizeof(bytes), f);

    fclose(f);
    uint8_t *exact = malloc(n ? n : 1); /* so that a sanitizer sees a read past the end */

    if (!exact)
        return -1;
    for (size_t i = 0; i < n; i++)
        exact[i] = bytes[i];
    LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    return 0;
}

int main(int argc, char **argv)
{
    unsigned files = 0;
    DIR *d = argc == 2 ? opendir(argv[1]) : NULL;

    if (!d) {
        fprintf(stderr, "usage: %s FOLDER (a corpus that exists)\n", argv[0]);
        return 2;
    }
    for (struct dirent *entry; (entry = readdir(d));)
        if (entry->d_name[0] != '.') {
            if (replay_file(argv[1], entry->d_name) < 0)
                return 1;
            files++;
        }
    closedir(d);
    printf("%u inputs replayed\n", files);
    return files > 0 ? 0 : 1;
}
