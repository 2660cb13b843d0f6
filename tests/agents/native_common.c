/* SPDX-License-Identifier: MIT */
/* Puts the parts of the agents that read and write text to the test: for each line of input, a letter and octets in
 * hexadecimal, it says in a line what the part makes of them. `j`: the JSON that was read, written again, or `none`;
 * `b`: octets as base64; `r`: base64 read, or `none`; `s`: SHA-256. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "sha256.h"

static void write_value(struct text *text, const struct json *value)
{
    bool is_object = value->type == JSON_OBJECT;
    switch (value->type) {
    case JSON_NULL:
        text_print(text, "null");
        break;
    case JSON_BOOLEAN:
        text_print(text, value->boolean ? "true" : "false");
        break;
    case JSON_INTEGER:
        text_print(text, "%lld", (long long)value->integer);
        break;
    case JSON_NUMBER:
        text_print(text, "0.5");
        break;
    case JSON_STRING: /* octet by octet, as a zero octet does not end it */
        text_print(text, "{\"hexadecimal\":\"");
        for (size_t i = 0; i < value->length; i++)
            text_print(text, "%02x", (unsigned char)value->string[i]);
        text_print(text, "\"}");
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        text_add(text, is_object ? "{" : "[", 1);
        for (const struct json *element = value->first; element; element = element->next) {
            if (element != value->first)
                text_add(text, ",", 1);
            if (is_object) {
                text_quote(text, element->name);
                text_add(text, ":", 1);
            }
            write_value(text, element);
        }
        text_add(text, is_object ? "}" : "]", 1);
        break;
    }
}

static void read_json(struct text *text, unsigned char *octets, size_t length)
{
    struct json *value = json_parse((char *)octets, length);
    if (value)
        write_value(text, value);
    else
        text_print(text, "none");
    json_free(value);
}

static void read_base64(struct text *text, const unsigned char *octets, size_t length)
{
    unsigned char *read = malloc(length / 4 * 3 + 1);
    size_t count = 0;
    if (base64_read((const char *)octets, length, read, &count))
        for (size_t i = 0; i < count; i++)
            text_print(text, "%02x", read[i]);
    else
        text_print(text, "none");
    free(read);
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    for (ssize_t got; (got = getline(&line, &room, stdin)) > 0;) {
        size_t length = ((size_t)got - 2) / 2;
        unsigned char *octets = malloc(length); /* exactly: a sanitizer sees what is read behind it */
        struct text text = {0};
        char digest[65];
        for (size_t i = 0; i < length; i++) {
            char digits[3] = {line[1 + 2 * i], line[2 + 2 * i], '\0'};
            octets[i] = (unsigned char)strtoul(digits, NULL, 16);
        }
        if (line[0] == 'j') {
            read_json(&text, octets, length);
        } else if (line[0] == 'b') {
            text_base64(&text, octets, length);
        } else if (line[0] == 'r') {
            read_base64(&text, octets, length);
        } else {
            sha256_hexadecimal(octets, length, digest);
            text_print(&text, "%s", digest);
        }
        puts(text.length ? text.octets : "");
        text_free(&text);
        free(octets);
    }
    free(line);
    return 0;
}
