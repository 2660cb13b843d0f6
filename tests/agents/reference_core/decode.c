/* SPDX-License-Identifier: MIT */
/* Reads octets on standard input, in pieces of as many octets as its argument says, and prints the TPDUs in them, one
 * a line (type, second octet, data in hexadecimal), then how they ended: `end`, `cut`, or `violation`. */
#include <stdio.h>
#include <stdlib.h>

#include "tpdus.h"

static struct reader reader;

int main(int count, char **arguments)
{
    size_t piece = count > 1 ? strtoul(arguments[1], NULL, 10) : 1, got;
    unsigned char *octets = malloc(piece);

    if (!octets)
        return 1;
    while ((got = fread(octets, 1, piece, stdin)) > 0) {
        const unsigned char *next = octets;
        enum reading reading;
        struct tpdu tpdu;

        while ((reading = reader_next(&reader, &next, &got, &tpdu)) == TPDU_READ) {
            printf("%d %d ", tpdu.type, tpdu.octet);
            for (size_t i = 0; i < tpdu.length; i++)
                printf("%02x", tpdu.data[i]);
            printf("\n");
        }
        if (reading == VIOLATION) {
            printf("violation\n");
            free(octets);
            return 0;
        }
    }
    printf("%s\n", reader_within_packet(&reader) ? "cut" : "end");
    free(octets);
    return 0;
}
