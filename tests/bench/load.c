/* SPDX-License-Identifier: EUPL-1.2
 *
 * A load on a running broker through librelais, as an outsider would make it, and what it measured.
 *
 *   load submit  PROFILE FROM TO FLOW COUNT BYTES [WINDOW]   submits, waits until all are accepted
 *   load spread  PROFILE FROM FLOW MAILBOXES COUNT BYTES [WINDOW]   submits to each in turn:
 * service s0 to s249 of town-0, of town-1... load receive PROFILE ADDRESS COUNT [CREDIT] receives
 * and acknowledges
 *
 * TO "*" is every subscriber of the flow. One JSON line on stdout: messages, seconds, messages a
 * second, and for `submit` the latency from submit to accepted (p50, p99, in microseconds). Timings
 * never decide a test.
 */
#include <relais/relais.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LATENCIES_MAX = 4 * 1024 * 1024, SERVICES_A_TOWN = 250, ADDRESS_BYTES = 64 };

struct load {
    uint64_t answered;
    uint64_t refused;
    int64_t *latencies; /* microseconds, of the first LATENCIES_MAX */
    int64_t *started;   /* ring by number of submission */
    uint64_t ring;
    uint64_t mailboxes; /* spread over so many; 0: all to one */
    char to[ADDRESS_BYTES];
    char first_error[512];
};

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void answered(void *context, const relais_outcome *outcome)
{
    struct load *load = context;
    if (outcome->error.status != RELAIS_OK) {
        if (load->refused == 0) {
            relais_error_text(&outcome->error, load->first_error, sizeof load->first_error);
        }
        load->refused++;
    }
    if (load->answered < LATENCIES_MAX) {
        load->latencies[load->answered] = now_us() - load->started[load->answered % load->ring];
    }
    load->answered++;
}

static int by_value(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static int complain(const char *what, const relais_error *error)
{
    char text[512];
    fprintf(stderr, "load: %s: %s\n", what, relais_error_text(error, text, sizeof text));
    return 1;
}

/* The mailbox of the next message. */
static void aim(struct load *load, uint64_t number)
{
    if (load->mailboxes > 0) {
        uint64_t at = number % load->mailboxes;
        snprintf(load->to, sizeof load->to, "town-%" PRIu64 "/s%" PRIu64, at / SERVICES_A_TOWN,
                 at % SERVICES_A_TOWN);
    }
}

/* Keeps the window full until `count` messages have an answer. */
static int pump(relais_client *client, const relais_message *message, struct load *load,
                uint64_t count, uint64_t window)
{
    relais_error error = {0};
    uint64_t submitted = 0;
    while (load->answered < count) {
        while (submitted < count && submitted - load->answered < window) {
            load->started[submitted % load->ring] = now_us();
            aim(load, submitted);
            relais_status status = relais_submit(client, message, answered, load, &error);
            if (status == RELAIS_WINDOW_FULL) {
                break;
            }
            if (status != RELAIS_OK) {
                return complain("submit", &error);
            }
            submitted++;
        }
        (void)relais_wait(client, 1000, NULL, 0);
    }
    return 0;
}

static void report_submit(struct load *load, uint64_t count, int64_t elapsed_us)
{
    size_t kept = load->answered < LATENCIES_MAX ? (size_t)load->answered : LATENCIES_MAX;
    qsort(load->latencies, kept, sizeof *load->latencies, by_value);
    printf("{\"messages\": %" PRIu64 ", \"refused\": %" PRIu64
           ", \"seconds\": %.3f, \"per_second\": %.0f, \"p50_us\": %" PRId64
           ", \"p99_us\": %" PRId64 ", \"longest_us\": %" PRId64 "}\n",
           count, load->refused, (double)elapsed_us / 1e6, (double)count * 1e6 / (double)elapsed_us,
           load->latencies[kept / 2], load->latencies[kept - 1 - kept / 100],
           load->latencies[kept - 1]);
    if (load->refused > 0) {
        fprintf(stderr, "load: %" PRIu64 " refused; the first: %s\n", load->refused,
                load->first_error);
    }
}

/* `where`: FROM TO FLOW of `submit`, FROM FLOW MAILBOXES of `spread`. */
static int submit(relais_client *client, bool spreads, char **where, int argument_count)
{
    uint64_t count = strtoull(where[3], NULL, 10);
    size_t bytes = strtoull(where[4], NULL, 10);
    uint64_t window = argument_count > 5 ? strtoull(where[5], NULL, 10) : 1024;
    struct load load = {.ring = window + 1};
    load.mailboxes = spreads ? strtoull(where[2], NULL, 10) : 0;
    load.latencies = calloc(LATENCIES_MAX, sizeof *load.latencies);
    load.started = calloc(load.ring, sizeof *load.started);
    char *payload = malloc(bytes + 1);
    if (count == 0 || (spreads && load.mailboxes == 0) || !load.latencies || !load.started ||
        !payload) {
        fprintf(stderr, "load: bad count, or out of memory\n");
        return 1;
    }
    memset(payload, 'r', bytes);
    bool everybody = strcmp(where[1], "*") == 0; /* every subscriber of the flow */
    const char *to[] = {spreads ? load.to : where[1]};
    relais_message message = {.type = "fr.relais.load",
                              .from = where[0],
                              .to = to,
                              .to_count = everybody ? 0 : 1,
                              .to_subscribers = everybody,
                              .flow = where[spreads ? 1 : 2],
                              .payload = {payload, bytes}};
    int64_t start = now_us();
    int failed = pump(client, &message, &load, count, window);
    if (!failed) {
        report_submit(&load, count, now_us() - start);
        failed = load.refused > 0;
    }
    free(payload);
    free(load.started);
    free(load.latencies);
    return failed;
}

static int receive(relais_client *client, char **arguments, int argument_count)
{
    uint64_t count = strtoull(arguments[1], NULL, 10);
    uint32_t credit = argument_count > 2 ? (uint32_t)strtoul(arguments[2], NULL, 10) : 512;
    relais_consumer *consumer = NULL;
    relais_error error = {0};
    if (relais_attach(client, arguments[0], credit, &consumer, &error) != RELAIS_OK) {
        return complain("attach", &error);
    }
    int64_t start = 0;
    for (uint64_t got = 0; got < count; got++) {
        relais_delivery *delivery = NULL;
        if (relais_receive(consumer, 60000, &delivery, &error) != RELAIS_OK) {
            return complain("receive", &error);
        }
        if (got == 0) {
            start = now_us();
        }
        (void)relais_ack(delivery);
        relais_delivery_free(delivery);
    }
    while (relais_unsettled(consumer) > 0) {
        (void)relais_wait(client, 1000, NULL, 0);
    }
    int64_t elapsed = now_us() - start;
    printf("{\"messages\": %" PRIu64 ", \"seconds\": %.3f, \"per_second\": %.0f}\n", count,
           (double)elapsed / 1e6, (double)count * 1e6 / (double)elapsed);
    relais_detach(consumer);
    return 0;
}

int main(int argc, char **argv)
{
    bool spreads = argc >= 8 && strcmp(argv[1], "spread") == 0;
    bool submits = spreads || (argc >= 8 && strcmp(argv[1], "submit") == 0);
    bool receives = argc >= 5 && strcmp(argv[1], "receive") == 0;
    if (!submits && !receives) {
        fprintf(stderr, "usage: load submit PROFILE FROM TO FLOW COUNT BYTES [WINDOW]\n"
                        "       load spread PROFILE FROM FLOW MAILBOXES COUNT BYTES [WINDOW]\n"
                        "       load receive PROFILE ADDRESS COUNT [CREDIT]\n");
        return 2;
    }
    relais_error error = {0};
    relais_client *client = NULL;
    if (relais_client_open_profile(argv[2], &client, &error) != RELAIS_OK ||
        relais_client_connect(client, 10000, &error) != RELAIS_OK) {
        return complain(argv[2], &error);
    }
    int code =
        submits ? submit(client, spreads, argv + 3, argc - 3) : receive(client, argv + 3, argc - 3);
    relais_client_close(client);
    return code;
}
