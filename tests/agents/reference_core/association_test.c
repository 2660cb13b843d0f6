/* SPDX-License-Identifier: MIT */
/* The portable core by example: what each rule of docs/reference-transport.md asks for, two associations back to back
 * or one against octets. Ends by an assertion, or with status 0. */
#undef NDEBUG
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "association.h"

static unsigned char buffer[2 * MESSAGE];
static struct outcome last;
static int completed;

static void complete(struct receive *receive, const struct outcome *how)
{
    (void)receive;
    last = *how;
    completed++;
}

/* Receive now; whether that was possible. */
static bool receive_with(struct association *association, struct receive receive)
{
    receive.into = buffer;
    return association_attempt(association, &receive, &last);
}

static bool receive(struct association *association, size_t length)
{
    return receive_with(association, (struct receive){.length = length, .waits = true});
}

static bool received(const char *octets, bool cut)
{
    return !last.error && last.length == strlen(octets) && !memcmp(buffer, octets, last.length) && last.cut == cut;
}

static void send_text(struct association *association, const char *octets)
{
    assert(association_send(association, (const unsigned char *)octets, strlen(octets)));
}

static void release_with(struct association *association, const char *data)
{
    assert(association_release(association, (const unsigned char *)data, data ? strlen(data) : 0));
}

/* Carry all that one has to write to the other, in pieces. */
static void carry(struct association *from, struct association *to, size_t piece)
{
    const unsigned char *octets;
    size_t count;

    while ((count = association_to_write(from, &octets))) {
        count = count < piece ? count : piece;
        association_octets_came(to, octets, count);
        association_written(from, count);
    }
}

static void came(struct association *association, const void *octets, size_t count)
{
    association_octets_came(association, octets, count);
}

static void writes(struct association *association, const void *expected, size_t length)
{
    const unsigned char *octets;

    assert(association_to_write(association, &octets) == length && !memcmp(octets, expected, length));
    association_written(association, length);
}

static void the_example_in_octets(void)
{
    struct association *client = association_new(true);

    send_text(client, "10");
    release_with(client, "42");
    writes(client, "\3\0\0\10\1\1\x31\x30", 8);
    writes(client, "\3\0\0\10\2\1\x34\x32", 8);
    assert(!association_over(client));
    came(client, "\3\0\0\12\2\1\x31\x30\x34\x32", 10);
    assert(association_over(client) && association_at_end(client));
    assert(receive(client, 10) && last.error == WSAEDISCON);
    assert(client->has_last_word && client->last_word_length == 4 && !memcmp(client->last_word, "1042", 4));
    assert(receive_with(client, (struct receive){.length = 1, .partial = true}) && received("", false));
    association_free(client);
}

static void what_is_sent_is_received(bool messages, size_t piece)
{
    struct association *one = association_new(messages), *other = association_new(messages);
    static unsigned char long_message[3 * TPDU_DATA_MAX + 7];

    for (size_t i = 0; i < sizeof long_message; i++)
        long_message[i] = (unsigned char)(i + (i >> 8));
    send_text(one, "10");
    send_text(one, "");
    send_text(one, "32");
    assert(association_send(one, long_message, sizeof long_message));
    release_with(one, NULL);
    assert(!receive(other, 100));
    carry(one, other, piece);
    if (messages) {
        assert(receive_with(other, (struct receive){.length = 100, .peek = true}) && received("10", false));
        assert(receive(other, 1) && received("1", true));
        assert(receive(other, 1) && received("0", false));
        assert(receive(other, 100) && received("", false));
    }
    assert(receive(other, messages ? 100 : 4) && received(messages ? "32" : "1032", false));
    assert(receive(other, sizeof buffer) && !last.error && last.length == sizeof long_message);
    assert(!memcmp(buffer, long_message, last.length) && association_at_end(other) && !other->has_last_word);
    assert(receive(other, 1) && last.error == (messages ? WSAEDISCON : 0) && last.length == 0);
    association_free(one);
    association_free(other);
}

static void receives_wait_in_order(void)
{
    struct association *association = association_new(false);
    struct receive first = {.into = buffer, .length = 2, .all = true, .complete = complete};
    struct receive second = {.into = buffer + 2, .length = 2, .posted = true, .complete = complete};

    completed = 0;
    association_wait(association, &first);
    association_wait(association, &second);
    came(association, "\3\0\0\7\1\1a", 7);
    assert(completed == 0);
    came(association, "\3\0\0\7\1\1b", 7);
    assert(completed == 1 && received("ab", false));
    association_stop_receiving(association); /* the second goes on waiting */
    came(association, "\3\0\0\12\1\1cdef", 10);
    assert(completed == 2 && last.length == 2 && !memcmp(buffer, "abcd", 4));
    assert(!association->inbox.first && !receive(association, 1));
    association_wait(association, &second);
    association_cancel(association);
    assert(completed == 3 && last.error == WSA_OPERATION_ABORTED);
    association_wait(association, &first);
    association_forget(association, &first);
    association_cancel(association);
    assert(completed == 3);
    association_free(association);
}

static void violated(const void *octets, size_t count)
{
    struct association *association = association_new(true);

    came(association, octets, count);
    assert(association->error == WSAECONNRESET && association->parting == PROTOCOL_VIOLATION);
    assert(receive(association, 1) && last.error == WSAECONNRESET);
    association_free(association);
}

static void aborts(void)
{
    struct association *association = association_new(true);

    came(association, "\3\0\0\6\1\1\3\0\0\10\3\7no", 14);
    assert(association->error == WSAECONNRESET && association->parting == NOTHING_OWED);
    assert(!association->inbox.first && association->has_last_word && association->last_word_length == 2);
    association_free(association);

    association = association_new(true);
    came(association, "\3\0\0\10\2\1hi", 8);
    association_tcp_ended(association, WSAECONNRESET); /* before the other direction was released */
    assert(association->error == WSAECONNRESET && !association->has_last_word);
    association_free(association);

    association = association_new(true);
    came(association, "\3\0", 2);
    association_tcp_ended(association, WSAECONNABORTED);
    assert(association->error == WSAECONNRESET && association->parting == PROTOCOL_VIOLATION);
    association_free(association);

    association = association_new(true);
    association_close(association);
    writes(association, "\3\0\0\6\2\0", 6);
    came(association, "\3\0\0\6\1\1", 6);
    assert(association->error && association->parting == BY_USER);
    association_free(association);

    association = association_new(true);
    release_with(association, "");
    writes(association, "\3\0\0\6\2\1", 6);
    came(association, "\3\0\0\6\2\0", 6);
    association_tcp_ended(association, WSAECONNABORTED);
    association_abort(association); /* it is over: nothing means anything any more */
    assert(!association->error);
    association_free(association);
}

static void how_much_is_taken(void)
{
    struct association *association = association_new(true);
    struct receive whole = {.into = buffer, .length = sizeof buffer, .waits = true, .complete = complete};
    static unsigned char packet[TPKT_LONGEST];

    tpdu_begin(packet, TPDU_DATA, 0, TPDU_DATA_MAX);
    while (association_wants_octets(association))
        came(association, packet, sizeof packet);
    assert(inbox_weight(&association->inbox) >= MESSAGE && association_readable(association));
    assert(!receive(association, sizeof buffer));
    assert(receive_with(association, (struct receive){.length = 10}) && last.length == 10 && last.cut);
    association_wait(association, &whole);
    assert(association_wants_octets(association));
    association_cancel(association);
    association_free(association);
}

int main(void)
{
    the_example_in_octets();
    for (size_t piece = 1; piece < 1000000; piece = piece * 7 + 1) {
        what_is_sent_is_received(true, piece);
        what_is_sent_is_received(false, piece);
    }
    receives_wait_in_order();
    aborts();
    how_much_is_taken();
    violated("\2", 1);                          /* another version */
    violated("\3\1", 2);                        /* a reserved octet */
    violated("\3\0\0\5", 4);                    /* too short */
    violated("\3\0\0\6\4", 5);                  /* an unknown type */
    violated("\3\0\0\6\1\2", 6);                /* an unknown flag */
    violated("\3\0\0\7\2\0", 6);                /* disconnect data, and a flag that says there is none */
    violated("\3\0\2\7\2", 5);                  /* 513 octets of it */
    violated("\3\0\0\6\1\0\3\0\0\6\2\0", 12);   /* a RELEASE within a message */
    violated("\3\0\0\6\2\0\3\0\0\6\1\1", 12);   /* DATA after a RELEASE */
    violated("\3\0\0\6\2\0\3\0\0\6\2\0", 12);   /* a second RELEASE */
    return 0;
}
