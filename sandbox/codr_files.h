/*
 * Files between broker and box: the sources in, the artefact out.
 */

#ifndef CODR_FILES_H
#define CODR_FILES_H

#include <stddef.h>
#include <stdint.h>

/*
 * Writes the files of a source image (a sealed memfd of FILE_NAME and
 * FILE_DATA fields) below the working directory, which must be empty.  0, or
 * negative errno.
 */
int codr_files_write(int image);

/* The same for an image that is in memory. */
int codr_files_write_image(const void *image, size_t size);

/* Writes a sealed artefact as an executable file of that name, which must not
   be there.  0, or negative errno. */
int codr_files_place(int artefact, const char *name);

/*
 * Opens the artefact a compiler has left: a regular file of one link, not
 * empty, at most max bytes, reached without following any link.  A
 * descriptor and the size, or negative errno.
 */
int codr_files_open_artefact(const char *name, uint64_t max,
    uint64_t *ret_size);

/* Sends size bytes of fd as messages of at most chunk bytes.  0, or negative
   errno. */
int codr_files_send(int sock, int fd, uint64_t size, void *buffer,
    size_t chunk);

#endif /* CODR_FILES_H */
