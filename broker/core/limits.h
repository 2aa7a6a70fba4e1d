/* SPDX-License-Identifier: EUPL-1.2
 *
 * Every array, queue and table of the core has its bound here, with the reason. What an operator
 * may change is in struct core_settings; these are the defaults and the hard ends.
 */
#ifndef RELAIS_CORE_LIMITS_H
#define RELAIS_CORE_LIMITS_H

enum {
    LIMIT_PAYLOAD_BYTES = 1024 * 1024, /* default of one message; the frame limit follows it */
    LIMIT_PAYLOAD_BYTES_MAX = 64 * 1024 * 1024, /* the highest that may be configured */
    LIMIT_BATCH_BYTES = 2 * 1024 * 1024,  /* body of one Submit or Deliver, one message excepted */
    LIMIT_WINDOW_MESSAGES = 4096,         /* unanswered submits of one connection */
    LIMIT_WINDOW_BYTES = 8 * 1024 * 1024, /* the same in bytes, one message excepted */
    LIMIT_STORING_BYTES = 48 * 1024 * 1024, /* all submits on their way to disk; beyond: busy */
    LIMIT_SENDING_BYTES = 64 * 1024 * 1024, /* all deliveries that clients have not read */
    LIMIT_CREDIT = 1024,                    /* of one consumer */
    LIMIT_ANSWER_TAGS = 16 * LIMIT_CREDIT,  /* looked up for one command: ranges may overlap */
    LIMIT_UNACKED_BYTES = 8 * 1024 * 1024,  /* delivered to one consumer, not answered */
    LIMIT_CONSUMERS = 64,                   /* of one connection */
    LIMIT_CONNECTIONS = 10000,
    LIMIT_CONNECTIONS_PER_KEY = 8,   /* ROUTER shares by connection: many are an advantage */
    LIMIT_HELD_ENTRIES = 2048,       /* taken from the store for one mailbox */
    LIMIT_TAKE_ENTRIES = 1024,       /* in one take: each waits for a commit */
    LIMIT_AHEAD_ENTRIES = 512,       /* of one mailbox, taken ahead of credit */
    LIMIT_AHEAD_BYTES = 1024 * 1024, /* the same in bytes */
    LIMIT_AHEAD_TOTAL_BYTES = 16 * 1024 * 1024, /* of all mailboxes */
    LIMIT_TAKE_BYTES = 1024 * 1024,             /* in one take, one message excepted */
    LIMIT_TAKES = 64, /* with the store: what they bring waits in memory, all mailboxes together */
    LIMIT_DELAY_MS = 7 * 24 * 3600 * 1000, /* of a nack: beyond, refuse it */
    LIMIT_EXTEND_MS = 24 * 3600 * 1000,    /* of a lease, at once: who needs longer says so again */
    LIMIT_REASON_BYTES = 256,
    LIMIT_QUEUES_PAGE = 500,
    LIMIT_DEAD_PAGE = 100,         /* letters in one answer, which is a command of 64 KiB */
    LIMIT_DEAD_BYTES = 256 * 1024, /* of envelopes read for one answer */
    LIMIT_TRACK_PAGE = 250,  /* rows in one answer: addresses of 127 bytes in a command of 64 KiB */
    LIMIT_ASKING_OF_ONE = 4, /* questions of one connection that are with the store */
    LIMIT_PRIVATE_WAITING = 1024, /* answers to one client: as many as it may hold, LIMIT_CREDIT */
    LIMIT_PRIVATE_BYTES = 64 * 1024 * 1024, /* the same in bytes, the last one excepted */
    LIMIT_TRACK_LOOKS =
        2048, /* rows in one step of the store: a millisecond, then it is others' turn */
    LIMIT_EXPIRE_ENTRIES = 1024, /* in one step: some milliseconds of the disk */
    LIMIT_KNOWN_BYTES =
        1024,            /* a refusal that waits for the store: counts as so much of a message */
    LIMIT_FINDINGS = 64, /* of one check that are told; all are counted */
    LIMIT_ASKING = 32,   /* of all: each may hold a message, and the disk has other work */
    LIMIT_CHUNK_BYTES = 4 * 65511, /* four segments of the store: some milliseconds of a line */
    LIMIT_UPLOAD_WINDOW_BYTES = 4 * LIMIT_CHUNK_BYTES, /* one connection's, on their way to disk:
                                                          keeps a line of 100 ms and 10 MB/s busy */
    LIMIT_UPLOADING_BYTES = 24 * 1024 * 1024,    /* all of them: half of LIMIT_STORING_BYTES */
    LIMIT_UPLOADING_OF_MEMBER = 6 * 1024 * 1024, /* a quarter: six lines, whoever else wants all */
    LIMIT_UPLOADS = 16,                          /* of one connection; looked through one by one */
    LIMIT_UPLOADS_OF_MEMBER = 16, /* unfinished on disk: each holds what has come of it */
    LIMIT_FETCH_WINDOW_BYTES = 4 * LIMIT_CHUNK_BYTES, /* one connection's, asked of the disk */
    LIMIT_FETCHING_BYTES = 24 * 1024 * 1024,          /* all of them */
    LIMIT_FETCHING_OF_MEMBER = 6 * 1024 * 1024,       /* the same */
    LIMIT_DIRECTORY_MEMBERS = 50000,                  /* 34,935 communes and everybody else */
    LIMIT_MEMBER_SERVICES = 256,                      /* looked through one by one */
    LIMIT_DIRECTORY_SERVICES = 400000,
    LIMIT_DIRECTORY_CLIENTS = 200000, /* a few for each member */
    LIMIT_REMINDERS = 8, /* of a flow's deadline: each is a message to who has not answered */
    LIMIT_DIRECTORY_ASKED = 64,    /* in one question: as many as a message has recipients */
    LIMIT_ENTRY_BYTES = 28 * 1024, /* a signed entry with every service and client it may have */
    LIMIT_MAILBOXES_BYTES = 31 * 1024, /* a sheet of mailbox keys: both fit one answer */
    LIMIT_DIRECTORY_FLOWS = 2048,      /* each keeps two bits a member: 25 MB at the most */
};

#endif
