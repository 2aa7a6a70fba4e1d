/* SPDX-License-Identifier: EUPL-1.2 */
/**
 * @file operate.h
 * Asking the broker how it is, and dealing with dead letters. Role `operate` sees all; any client
 * sees its own member's queues and dead letters.
 * Thread rule: that of the client.
 */
#ifndef RELAIS_OPERATE_H
#define RELAIS_OPERATE_H

#include <relais/client.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Fields as relais.v1.Status in proto/relais/v1/command.proto. */
typedef struct relais_broker_status {
    char software[65];
    int64_t uptime_ms;
    uint32_t connections;
    uint32_t consumers;
    uint32_t members;
    uint32_t flows;
    uint64_t mailboxes;
    uint64_t waiting;
    uint64_t waiting_bytes;
    uint64_t leased;
    uint64_t dead;
    uint64_t accepted_total;
    uint64_t duplicates_total;
    uint64_t refused_total;
    uint64_t delivered_total;
    uint64_t acknowledged_total;
    uint64_t store_used_bytes;
    uint64_t store_size_bytes;
    uint64_t store_findings_total; /**< since 1.2 */
    int64_t store_checked_ms;      /**< Unix time in milliseconds; since 1.2 */
    uint64_t reminders_total;      /**< recipients reminded of a deadline; since 1.2 */
    uint64_t
        deadlines_missed_total; /**< messages somebody had not acknowledged in time; the same */
} relais_broker_status;

typedef struct relais_queue {
    char address[128];
    uint64_t waiting; /**< not acknowledged yet, leased ones included */
    uint64_t waiting_bytes;
    uint64_t dead;
    uint32_t leased;
    uint32_t consumers;
} relais_queue;

/** Needs role operate: RELAIS_ROLE_MISSING. Waits up to timeout_ms. */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_query_status(relais_client *client,
                                                               int timeout_ms,
                                                               relais_broker_status *out_status,
                                                               relais_error *error);

/**
 * Mailboxes in order of address, starting behind `after` (NULL: from the first): up to `capacity`
 * (at most 500) into out_queues, their number in *out_count, and whether others follow in
 * *out_more.
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_query_queues(relais_client *client,
                                                               const char *after,
                                                               relais_queue *out_queues,
                                                               size_t capacity, size_t *out_count,
                                                               bool *out_more, relais_error *error);

/** What a member uses of its quotas. A quota of 0 is none. Since protocol 1.2. */
typedef struct relais_usage {
    char member[64];
    uint64_t messages; /**< that it has sent and that lie in the store, dead letters included */
    uint64_t messages_quota;
    uint64_t bytes; /**< of their envelopes and payloads */
    uint64_t bytes_quota;
    uint32_t connections; /**< of all its clients */
    uint32_t connections_quota;
    uint32_t rate_quota;  /**< messages a second */
    uint32_t burst_quota; /**< messages at once */
    uint32_t burst;       /**< that may be sent at once now; 0 without a rate */
    uint64_t
        refused_total; /**< messages and connections beyond a quota, since the broker's start */
} relais_usage;

/**
 * Asks what a member uses of its quotas; `member` NULL: the client's own. Waits up to timeout_ms
 * (< 0: for ever). RELAIS_ROLE_MISSING for another member without the role operate,
 * RELAIS_UNKNOWN_MEMBER, RELAIS_UNKNOWN_COMMAND at a broker of a protocol before 1.2, RELAIS_BUSY.
 * Thread: the client's. Since 1.2.
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_query_usage(relais_client *client,
                                                              const char *member, int timeout_ms,
                                                              relais_usage *out_usage,
                                                              relais_error *error);

/** How an attempt to deliver ended. */
typedef enum relais_ending {
    RELAIS_ENDING_UNKNOWN = 0, /**< in a way of a later protocol */
    RELAIS_ENDING_LEASE = 1,   /**< no answer in time */
    RELAIS_ENDING_NACK = 2,    /**< relais_nack() */
    RELAIS_ENDING_REFUSE = 3,  /**< relais_refuse() */
} relais_ending;

/** An attempt to deliver that failed. Since protocol 1.2. */
typedef struct relais_failed_attempt {
    uint32_t number; /**< from 1 */
    int64_t at_ms;   /**< Unix time in milliseconds */
    relais_ending ending;
    char client[64];  /**< of the mailbox' member, that had it; "" when it is not known */
    char reason[257]; /**< its words, or "" */
} relais_failed_attempt;

/**
 * What is known of a delivery that was given up: its attempts were used up, its recipient refused
 * it, it came too late, or the broker's disk has lost it. Text is cut to size, control characters
 * are replaced. Never the payload or the subject. Since protocol 1.1.
 */
typedef struct relais_dead_letter {
    uint64_t sequence;   /**< names it in its mailbox */
    relais_status code;  /**< why, e.g. RELAIS_REFUSED_BY_RECIPIENT */
    char reason[257];    /**< the recipient's words, or "" */
    uint32_t attempts;   /**< made */
    bool damaged;        /**< what follows may be empty, and it can only be dropped */
    uint64_t bytes;      /**< of envelope and payload */
    int64_t died_ms;     /**< Unix time in milliseconds, as the next two */
    int64_t accepted_ms; /**< 0: not known */
    int64_t expires_ms;  /**< 0: never */
    char id[129];        /**< from here on as in the envelope */
    char source[513];
    char from[128];
    char flow[65];
    char type[129];
    size_t history_count; /**< of relais_dead_show() alone: the last attempts, in order */
    relais_failed_attempt history[16];
} relais_dead_letter;

typedef struct relais_dead_page {
    relais_dead_letter *letters; /**< the caller's, room for `capacity` */
    size_t capacity;             /**< 1 to 100 */
    size_t count;                /**< out */
    bool more;                   /**< out: others follow */
} relais_dead_page;

/**
 * The dead letters of a mailbox by sequence, those behind `after` (0: from the first), into *page.
 * Each of these four waits up to 30 s. They fail with RELAIS_NOT_YOUR_MAILBOX without the role
 * operate outside one's own member, RELAIS_UNKNOWN_MEMBER or RELAIS_UNKNOWN_SERVICE for an address
 * that is not in the directory, RELAIS_BUSY (try again after error->retry_after_ms), and with
 * RELAIS_UNKNOWN_COMMAND at a broker of protocol 1.0.
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_dead_list(relais_client *client,
                                                            const char *address, uint64_t after,
                                                            relais_dead_page *page,
                                                            relais_error *error);

/** One of them, its whole message checked on the broker's disk. RELAIS_UNKNOWN_DEAD_LETTER: there
 * is none of that sequence. */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_dead_show(relais_client *client,
                                                            const char *address, uint64_t sequence,
                                                            relais_dead_letter *out_letter,
                                                            relais_error *error);

/**
 * Puts it back to its mailbox as if it had never been tried. RELAIS_OK: on disk. Needs the role
 * operate, or receive in one's own member: RELAIS_ROLE_MISSING. RELAIS_DAMAGED: its message is not
 * whole. When the line broke meanwhile the command is said again, and RELAIS_UNKNOWN_DEAD_LETTER
 * may mean that it was done the first time. RELAIS_TIMED_OUT: it may still be done.
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_dead_replay(relais_client *client,
                                                              const char *address,
                                                              uint64_t sequence,
                                                              relais_error *error);

/** Lets it go for good; otherwise as relais_dead_replay(). */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_dead_drop(relais_client *client,
                                                            const char *address, uint64_t sequence,
                                                            relais_error *error);

/** Something in the broker's store that is not as it was written. Never content. Since 1.2. */
typedef struct relais_finding {
    char fault[16];    /**< checksum, key, cut, reference, orphan, count, page or table */
    char table[32];    /**< of the store; "" when that is not known */
    char address[128]; /**< of the mailbox, or "" */
    uint64_t sequence; /**< of the message; 0: none, or not known */
    uint64_t page;     /**< of the file, for a page that is noise; 0 otherwise */
    bool aside;        /**< the entry is a dead letter now, RELAIS_DAMAGED */
} relais_finding;

enum { RELAIS_UPKEEP_FINDINGS = 64 };

/** How a backup or a check of the broker's store stands. Since 1.2. */
typedef struct relais_upkeep {
    uint32_t job;
    bool running;
    char name[65];        /**< backup: of its file, in the broker's folder of backups */
    uint64_t done_bytes;  /**< read so far */
    uint64_t total_bytes; /**< to be read, about */
    uint64_t records;
    uint64_t file_bytes;    /**< backup: of its file, once it is done */
    uint64_t finding_count; /**< backup: in the copy, damaged in the store already */
    size_t findings_told;   /**< check: how many of them are in `findings` */
    relais_finding findings[RELAIS_UPKEEP_FINDINGS];
    int64_t took_ms;
} relais_upkeep;

/**
 * Backup of the broker's store, made while it runs. `job` 0 begins one under `name` (NULL: one with
 * the time; otherwise letters, digits, ".", "_" and "-", at most 64); the job that is then in
 * *out_upkeep, on any connection, asks how it stands. It is done when RELAIS_OK comes and `running`
 * is false: the file is complete, was read back, and is on disk. Beginning the one that runs is not
 * an error. Each call waits up to timeout_ms (< 0: for ever).
 * RELAIS_BACKUP_FAILED: it could not begin, or failed, or the broker has been restarted;
 * error->wrong says why. RELAIS_ROLE_MISSING without the role operate, RELAIS_FIELD_INVALID for a
 * name, RELAIS_UNKNOWN_COMMAND at a broker of a protocol before 1.2.
 * Thread: the client's. Since 1.2.
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_backup(relais_client *client, const char *name,
                                                         uint32_t job, int timeout_ms,
                                                         relais_upkeep *out_upkeep,
                                                         relais_error *error);

/**
 * Check of every record of the broker's store while it runs; otherwise as relais_backup().
 * RELAIS_FIELD_INVALID for a job that is not the last one's. Since 1.2.
 */
RELAIS_API RELAIS_MUST_CHECK relais_status relais_check(relais_client *client, uint32_t job,
                                                        int timeout_ms, relais_upkeep *out_upkeep,
                                                        relais_error *error);

#ifdef __cplusplus
}
#endif
#endif
