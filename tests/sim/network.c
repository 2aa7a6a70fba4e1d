/* SPDX-License-Identifier: EUPL-1.2
 *
 * See network.h. Each packet has its item in the agenda; what is lost before leaves its item
 * behind, which then finds nothing.
 */
#include "network.h"

#include <assert.h>
#include <stdlib.h>

enum {
    NOTICE_MS = 15000, /* until a heartbeat is missed */
    CALM_MS = 5,
};

void network_init(struct network *network, struct agenda *agenda, struct chance *chance,
                  const struct plan *plan, struct trace *trace)
{
    *network = (struct network){.agenda = agenda, .chance = chance, .plan = plan, .trace = trace};
    network->lines = agenda_grown(NULL, 0, &network->line_capacity, sizeof(struct line *));
    network->lines[network->line_count++] = NULL; /* 0 is no connection */
}

struct packet *packet_new(size_t frame_count)
{
    struct packet *packet = calloc(1, sizeof *packet);
    assert(packet);
    packet->frame_count = frame_count;
    packet->frames = calloc(frame_count, sizeof *packet->frames);
    packet->buffers = calloc(frame_count, sizeof(struct buffer *));
    assert(packet->frames && packet->buffers);
    return packet;
}

void packet_free(struct packet *packet)
{
    for (size_t i = 0; i < packet->frame_count; i++) {
        buffer_unref(packet->buffers[i]);
    }
    free(packet->frames);
    free(packet->buffers);
    free(packet);
}

void packet_set(struct packet *packet, size_t i, struct buffer *buffer, struct bytes slice)
{
    packet->buffers[i] = buffer;
    packet->frames[i] = slice;
}

static void drop_all(struct packets *packets)
{
    while (packets->first) {
        struct packet *packet = packets->first;
        packets->first = packet->next;
        packet_free(packet);
    }
    packets->last = NULL;
}

void network_fini(struct network *network)
{
    for (size_t i = 1; i < network->line_count; i++) {
        drop_all(&network->lines[i]->in);
        drop_all(&network->lines[i]->out);
        free(network->lines[i]);
    }
    free(network->lines);
}

struct line *network_line(const struct network *network, uint64_t number)
{
    return number < network->line_count ? network->lines[number] : NULL;
}

uint64_t network_open(struct network *network, unsigned client)
{
    struct line *line = calloc(1, sizeof *line);
    assert(line);
    line->number = network->line_count;
    line->client = client;
    network->lines = agenda_grown(network->lines, network->line_count, &network->line_capacity,
                                  sizeof(struct line *));
    network->lines[network->line_count++] = line;
    return line->number;
}

static int64_t arrival(const struct network *network, const struct packets *packets)
{
    uint32_t most = network->calm ? CALM_MS : network->plan->delay_ms;
    int64_t at_ms = network->trace->now_ms + chance_delay(network->chance, 0, most);
    return at_ms > packets->last_ms ? at_ms : packets->last_ms;
}

static void send(struct network *network, struct packets *packets, struct packet *packet,
                 enum agenda_kind kind, uint64_t number)
{
    packet->next = NULL;
    if (packets->last) {
        packets->last->next = packet;
    } else {
        packets->first = packet;
    }
    packets->last = packet;
    packets->last_ms = arrival(network, packets);
    agenda_add(network->agenda, packets->last_ms, kind, number);
}

void network_say(struct network *network, uint64_t number, struct packet *packet)
{
    struct line *line = network->lines[number];
    if (line->deaf) {
        packet_free(packet);
    } else {
        send(network, &line->in, packet, AGENDA_TO_BROKER, number);
    }
}

void network_tell(struct network *network, uint64_t number, struct packet *packet)
{
    struct line *line = network->lines[number];
    if (line->dumb) {
        packet_free(packet);
    } else {
        send(network, &line->out, packet, AGENDA_TO_CLIENT, number);
    }
}

static struct packet *take(struct packets *packets)
{
    struct packet *packet = packets->first;
    if (packet) {
        packets->first = packet->next;
        packets->last = packets->first ? packets->last : NULL;
    }
    return packet;
}

struct packet *network_heard(struct network *network, uint64_t number)
{
    return take(&network->lines[number]->in);
}

struct packet *network_told(struct network *network, uint64_t number)
{
    return take(&network->lines[number]->out);
}

static void lose(struct line *line, bool in, bool out)
{
    if (in) {
        line->deaf = true;
        drop_all(&line->in);
    }
    if (out) {
        line->dumb = true;
        drop_all(&line->out);
    }
}

/* The item comes behind all that is still to arrive. */
static void tell_end(struct network *network, const struct packets *packets, enum agenda_kind kind,
                     uint64_t number, uint32_t most_ms)
{
    int64_t at_ms = network->trace->now_ms + chance_delay(network->chance, 0, most_ms);
    agenda_add(network->agenda, at_ms > packets->last_ms ? at_ms : packets->last_ms, kind, number);
}

void network_cut(struct network *network, uint64_t number)
{
    struct line *line = network->lines[number];
    if (line->ended) {
        return;
    }
    line->ended = true;
    lose(line, true, true);
    line->in.last_ms = line->out.last_ms = 0;
    tell_end(network, &line->in, AGENDA_CLOSED_AT_BROKER, number, NOTICE_MS);
    tell_end(network, &line->out, AGENDA_CLOSED_AT_CLIENT, number, NOTICE_MS);
}

void network_hang_up(struct network *network, uint64_t number)
{
    struct line *line = network->lines[number];
    lose(line, true, false);
    if (!line->ended) {
        line->ended = true;
        line->in.last_ms = 0;
        tell_end(network, &line->in, AGENDA_CLOSED_AT_BROKER, number, CALM_MS);
        tell_end(network, &line->out, AGENDA_CLOSED_AT_CLIENT, number, CALM_MS);
    }
}

void network_leave(struct network *network, uint64_t number)
{
    struct line *line = network->lines[number];
    lose(line, chance_is(network->chance, 500), true);
    if (!line->ended) {
        line->ended = true;
        tell_end(network, &line->in, AGENDA_CLOSED_AT_BROKER, number, CALM_MS);
    }
}

void network_all_gone(struct network *network)
{
    for (size_t i = network->first_open + 1; i < network->line_count; i++) {
        struct line *line = network->lines[i];
        bool was_open = !line->dumb;
        lose(line, true, true);
        if (was_open) {
            line->out.last_ms = 0;
            tell_end(network, &line->out, AGENDA_CLOSED_AT_CLIENT, line->number, NOTICE_MS);
        }
        line->ended = true;
    }
    network->first_open = network->line_count - 1;
}

uint64_t network_any(const struct network *network)
{
    uint64_t found = 0;
    uint32_t seen = 0;
    for (size_t i = network->first_open + 1; i < network->line_count; i++) {
        if (!network->lines[i]->ended) {
            seen++;
            if (chance_below(network->chance, seen) == 0) {
                found = i;
            }
        }
    }
    return found;
}
