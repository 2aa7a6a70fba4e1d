/* SPDX-License-Identifier: EUPL-1.2 */
/**
 * @file adapter.h
 * A program that stands between the bus and one piece of software: link with relais-adapter.
 *
 * An adapter fills in a relais_adapter_kind and calls relais_adapter_main() from main(). It gets
 * from there: the command line, the configuration, the connection, an outbox on disk that keeps
 * what was handed over while the line is down and sends it in order, a ledger on disk of the
 * messages that were done with, back-off, leases that are kept while it works, signals (TERM and
 * INT stop in good order, HUP reads the configuration again), the service manager, the log, a
 * status file and metrics. docs/tutorials/first-adapter.md builds one.
 *
 * One thread: every call below and every function of the kind belongs to the thread of
 * relais_adapter_main(). A function of the kind returns soon; what takes long is a process, or a
 * descriptor given to relais_adapter_watch(). Since 0.1.
 */
#ifndef RELAIS_ADAPTER_H
#define RELAIS_ADAPTER_H

#include <relais/adapter_item.h>
#include <relais/client.h>
#include <relais/message.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

struct cyaml_schema_field;
typedef struct relais_adapter relais_adapter; /**< running */

enum {
    RELAIS_ADAPTER_NOTE_BYTES = 1024,   /**< the largest value of a note */
    RELAIS_ADAPTER_NOTE_KEY_BYTES = 64, /**< its key, without the NUL */
    RELAIS_ADAPTER_COUNTERS = 16,       /**< of a kind's own */
    RELAIS_ADAPTER_WATCHES = 1024,      /**< descriptors */
};

/** For the metrics: relais_adapter_<name>_total. */
typedef struct relais_adapter_counter {
    const char *name; /**< [a-z_]{1,40} */
    const char *help; /**< one line, English */
} relais_adapter_counter;

/** What an adapter is. Everything in it lives as long as the program. */
typedef struct relais_adapter_kind {
    const char *name;    /**< of the program: "relais-exec" */
    const char *version; /**< "1.2.3" */
    const char *summary; /**< one line for --help; may be NULL */

    /**
     * The adapter's own keys of the configuration file, beside the common ones: fields of a
     * mapping as libcyaml has them, ended by CYAML_FIELD_END, over a struct of settings_bytes.
     * NULL: none.
     */
    const struct cyaml_schema_field *settings;
    size_t settings_bytes;

    /** True: no outbox and no ledger: the adapter has its own, and takes its mailboxes itself
     * through relais_adapter_client(). Then `deliver` is never called, nothing can be handed over,
     * and the configuration has none of the keys for it. */
    bool keeps_nothing;
    const relais_adapter_counter *counters;
    size_t counter_count; /**< at most RELAIS_ADAPTER_COUNTERS */

    /** What a schema cannot say, and defaults. `path` names the file; error->field names the key.
     * May be NULL. */
    relais_status (*check)(void *settings, const char *path, relais_error *error);

    /** Makes the adapter's own state; on success *out_context is given to all that follow, and
     * `close` is called once. Settings live until then. NULL: the context is the relais_adapter. */
    relais_status (*start)(relais_adapter *adapter, const void *settings, void **out_context,
                           relais_error *error);

    /** A message to be dealt with. Answer it now or later with one of relais_adapter_done(),
     * _later(), _refuse() and _unavailable(); its lease is kept meanwhile. NULL: a kind that only
     * sends. */
    void (*deliver)(void *context, relais_adapter_item *item);

    /** Called at each turn: after each of the adapter's descriptors, and when what it gave in
     * *out_wait_ms (at first 60,000) has passed. Another status than RELAIS_OK ends the program
     * with exit code 1. May be NULL. */
    relais_status (*poll)(void *context, int64_t *out_wait_ms, relais_error *error);

    /** After relais_adapter_unavailable(), at the end of each pause: can the software take messages
     * again? NULL: yes. */
    bool (*ready)(void *context);

    /** The bus will never take this message of the outbox; it has been set aside. May be NULL. */
    void (*refused)(void *context, const char *id, const relais_error *error);

    /** Begin nothing new; `poll` goes on until all items are answered or stop_s is over. May be
     * NULL. */
    void (*stop)(void *context);

    /** True while something is to be finished that is no item, as long as stop_s allows. May be
     * NULL. */
    bool (*busy)(void *context);

    /** The end: items without an answer go back to the bus uncounted and must not be used again.
     * May be NULL. */
    void (*close)(void *context);
} relais_adapter_kind;

/**
 * Runs an adapter: the whole main(). Returns the exit code: 0 stopped; 1 the environment failed;
 * 2 command line or configuration. Call it once, before any thread is started.
 */
RELAIS_API int relais_adapter_main(int argc, char **argv, const relais_adapter_kind *kind);

/* ---- to the bus ---- */

/**
 * Hands a message over to the outbox. It is staged: on disk with the next relais_adapter_flush(),
 * or at the end of the turn. Copies. Without message->id a new one is made. An id that was handed
 * over before (within 35 days, the last million) is taken for the same message: RELAIS_OK, and
 * nothing is sent twice. Messages leave in the order of their hand-over; those with one
 * ordering_key one after the other.
 * RELAIS_STORE_FULL: the outbox is at its bound (outbox.messages, outbox.megabytes): try again
 * later, nothing was taken. RELAIS_FIELD_MISSING, RELAIS_FIELD_INVALID, RELAIS_TOO_LARGE (16 MiB):
 * it can never be sent. RELAIS_NO_MEMORY; RELAIS_USAGE: a kind that keeps nothing.
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_adapter_hand_over(relais_adapter *adapter,
                                                                    const relais_message *message,
                                                                    relais_error *error);

/**
 * Notes a value under a key (a cursor, for instance), staged like a message and on disk in the
 * same instant as the messages that were handed over before it: whoever reads from a source by
 * position hands over and notes the position, and loses and doubles nothing. A value of size 0
 * forgets the key. RELAIS_TOO_LARGE, RELAIS_NO_MEMORY, RELAIS_USAGE.
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_adapter_note(relais_adapter *adapter,
                                                               const char *key, relais_bytes value,
                                                               relais_error *error);

/** Reads what was noted and flushed into `buffer`. RELAIS_NOT_FOUND; RELAIS_DAMAGED: the disk has
 * changed it; RELAIS_TOO_LARGE: not within `size`. */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_adapter_noted(relais_adapter *adapter,
                                                                const char *key, void *buffer,
                                                                size_t size, size_t *out_size);

/**
 * Puts what is staged on disk, all or nothing. RELAIS_OK: it will be sent, whatever happens to
 * this program. RELAIS_STORE_FULL (no room on the disk), RELAIS_NO_MEMORY: nothing of it was
 * taken, hand it over again later. RELAIS_SYSTEM: the disk failed; the program ends with this
 * turn, and what is on disk is known after the next start.
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_adapter_flush(relais_adapter *adapter,
                                                                relais_error *error);

/* ---- around it ---- */

typedef void (*relais_adapter_event_fn)(void *context, int fd, short events);

/** Watches a descriptor for POLLIN, POLLOUT or both, in place of what was asked for it before.
 * RELAIS_LIMIT_EXCEEDED, RELAIS_SYSTEM (a plain file, for instance). */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_adapter_watch(relais_adapter *adapter, int fd,
                                                                short events,
                                                                relais_adapter_event_fn told,
                                                                void *context);

/** No more; before the descriptor is closed. An unknown one is fine. */
RELAIS_API void relais_adapter_unwatch(relais_adapter *adapter, int fd);

/** The connection, for what is not here (requests, tracking). Never close it. */
RELAIS_API relais_client *relais_adapter_client(relais_adapter *adapter);

/** Readable when the program is to stop or to reload; for calls that wait. */
RELAIS_API int relais_adapter_signals(const relais_adapter *adapter);

/** The adapter's own settings, as `check` left them; NULL: the kind has none. */
RELAIS_API const void *relais_adapter_settings(const relais_adapter *adapter);

/** The folder of the configuration's `state`, for files of the adapter's own; "" for a kind that
 * keeps nothing. */
RELAIS_API const char *relais_adapter_state_folder(const relais_adapter *adapter);

/** A path of the settings, which is meant from the configuration file's folder. Returns buffer;
 * NULL: it does not fit. */
RELAIS_API const char *relais_adapter_path(const relais_adapter *adapter, const char *path,
                                           char *buffer, size_t size);

/** Adds to the kind's counter of this index. */
RELAIS_API void relais_adapter_count(relais_adapter *adapter, size_t counter, uint64_t by);

typedef enum relais_adapter_level {
    RELAIS_ADAPTER_ERROR = 0, /* someone must act */
    RELAIS_ADAPTER_WARNING,   /* degraded, and going on */
    RELAIS_ADAPTER_NOTICE,    /* a state has changed */
    RELAIS_ADAPTER_DEBUG,
} relais_adapter_level;

typedef struct relais_adapter_field {
    const char *name;
    const char *text; /**< NULL: the number */
    int64_t number;
} relais_adapter_field;

/** One line of the log: a stable event name, at most 16 fields of ids, sizes, counts and slugs;
 * never a payload, a subject, a file's name or anything that a person wrote. */
RELAIS_API void relais_adapter_log(relais_adapter_level level, const char *event,
                                   const relais_adapter_field *fields, size_t count);

#ifdef __cplusplus
}
#endif
#endif
