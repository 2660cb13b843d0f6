/* SPDX-License-Identifier: MIT */
/* The portable core driven at random, from the seeds that its arguments give (first and number): two associations
 * whose users send, receive, peek, post, end and abort in any order, over a carrier that cuts as it likes, may end, and
 * may alter an octet. Whatever comes: what was received is a beginning of what was sent, messages keep their bounds,
 * every posted receive completes once, and a graceful end is told only after everything. */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "association.h"

enum { STEPS = 400, POSTED = 8, LONGEST_SEND = 90000 };

struct posted {
    struct receive receive;
    bool pending;
    struct end *end;
};

struct end {
    struct association *association;
    struct end *peer;
    bool messages;
    uint32_t sent, taken; /* octets that the user sent, and received: octet i is a function of i */
    uint32_t bounds[STEPS];
    size_t sends, bound; /* ends of messages sent; of the peer's that were received */
    struct posted posted[POSTED];
};

static uint64_t state;
static bool altered;

static uint32_t below(uint32_t limit)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % limit;
}

static unsigned char octet(uint32_t i)
{
    return (unsigned char)(i + (i >> 8));
}

/* A receive ended: is it what the peer sent? */
static void check(struct end *end, const struct receive *receive, const struct outcome *how)
{
    struct end *peer = end->peer;

    if (how->error || altered) {
        assert(how->length == 0 || altered);
        assert(how->error != WSAEDISCON || altered || (end->taken == peer->sent && end->bound == peer->sends));
        return;
    }
    for (size_t i = 0; i < how->length; i++)
        assert(receive->into[i] == octet(end->taken + (uint32_t)i));
    if (!receive->peek)
        end->taken += (uint32_t)how->length;
    if (!end->messages || receive->peek || (how->length == 0 && association_at_end(end->association)))
        return;
    if (how->cut)
        assert(end->bound < peer->sends && end->taken <= peer->bounds[end->bound]);
    else
        assert(end->bound < peer->sends && end->taken == peer->bounds[end->bound++]);
}

static void complete(struct receive *receive, const struct outcome *how)
{
    struct posted *posted = (struct posted *)receive;

    assert(posted->pending);
    posted->pending = false;
    check(posted->end, receive, how);
    free(receive->into);
}

static struct receive any_receive(bool messages)
{
    uint32_t lengths[] = {0, 1, 10, 4096, 200000};
    struct receive receive = {.length = lengths[below(5)], .complete = complete};

    receive.waits = below(2);
    receive.partial = messages && below(4) == 0;
    receive.all = !messages && below(4) == 0;
    receive.into = malloc(receive.length + 1);
    assert(receive.into);
    return receive;
}

static void receive_now(struct end *end)
{
    struct receive receive = any_receive(end->messages);
    struct outcome how;

    receive.peek = below(4) == 0;
    if (!end->association->receives && end->association->receiving &&
        association_attempt(end->association, &receive, &how))
        check(end, &receive, &how);
    free(receive.into);
}

static void post(struct end *end)
{
    struct posted *posted = &end->posted[below(POSTED)];
    struct outcome how;

    if (posted->pending || !end->association->receiving)
        return;
    *posted = (struct posted){any_receive(end->messages), true, end};
    posted->receive.posted = posted->receive.waits = true;
    if (!end->association->receives && association_attempt(end->association, &posted->receive, &how))
        complete(&posted->receive, &how);
    else
        association_wait(end->association, &posted->receive);
}

static void send_something(struct end *end)
{
    static unsigned char octets[LONGEST_SEND];
    uint32_t count = below(3) == 0 ? below(LONGEST_SEND) : below(20);

    if (end->association->error || end->association->released || end->association->queued >= QUEUE)
        return;
    for (uint32_t i = 0; i < count; i++)
        octets[i] = octet(end->sent + i);
    assert(association_send(end->association, octets, count));
    end->sent += count;
    end->bounds[end->sends++] = end->sent;
}

static void carry(struct end *from, bool may_alter)
{
    const unsigned char *octets;
    size_t count = association_to_write(from->association, &octets);

    if (count == 0 || !association_wants_octets(from->peer->association))
        return;
    if (count > 1 && below(2))
        count = 1 + below((uint32_t)count - 1);
    if (may_alter && below(20) == 0) {
        unsigned char *other = malloc(count);

        assert(other);
        memcpy(other, octets, count);
        other[below((uint32_t)count)] ^= (unsigned char)(1 + below(255));
        altered = true;
        association_octets_came(from->peer->association, other, count);
        free(other);
    } else {
        association_octets_came(from->peer->association, octets, count);
    }
    association_written(from->association, count);
}

static void step(struct end *end, bool may_alter)
{
    struct association *association = end->association;

    switch (below(40)) {
    case 0:
        if (!association->released && !association->error)
            assert(association_release(association, (const unsigned char *)"bye", below(4)));
        break;
    case 1:
        if (below(8) == 0)
            association_stop_receiving(association);
        break;
    case 2:
        if (below(8) == 0)
            association_abort(association);
        break;
    case 3:
        if (below(8) == 0)
            association_tcp_ended(association, WSAECONNABORTED);
        break;
    case 4:
        if (below(8) == 0) {
            association_stop_receiving(association);
            association_close(association);
        }
        break;
    case 5: case 6: case 7: case 8:
        send_something(end);
        break;
    case 9: case 10: case 11:
        post(end);
        break;
    case 12: case 13: case 14: case 15: case 16: case 17:
        receive_now(end);
        break;
    default:
        carry(end, may_alter);
    }
    if (association->error) {
        assert(!association->receives && !association->inbox.first);
        association_drop_output(association);
    }
    assert((association->out != NULL) == (association->queued > 0));
}

static void drive(uint64_t seed)
{
    struct end ends[2] = {0};
    bool messages, may_alter;

    state = seed;
    altered = false;
    messages = below(2);
    may_alter = below(4) == 0;
    for (int i = 0; i < 2; i++) {
        ends[i].association = association_new(messages);
        assert(ends[i].association);
        ends[i].peer = &ends[1 - i];
        ends[i].messages = messages;
    }
    for (int i = 0; i < STEPS; i++)
        step(&ends[below(2)], may_alter);
    for (int i = 0; i < 2; i++) {
        association_cancel(ends[i].association);
        for (int j = 0; j < POSTED; j++)
            assert(!ends[i].posted[j].pending);
        association_free(ends[i].association);
    }
}

int main(int count, char **arguments)
{
    uint64_t first = count > 1 ? strtoull(arguments[1], NULL, 10) : 1;
    uint64_t seeds = count > 2 ? strtoull(arguments[2], NULL, 10) : 100;

    for (uint64_t seed = first; seed < first + seeds; seed++) {
        fprintf(stderr, "\rseed %llu", (unsigned long long)seed); /* the last one said is the one that failed */
        drive(seed);
    }
    fprintf(stderr, "\n");
    return 0;
}
