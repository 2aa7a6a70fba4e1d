/* SPDX-License-Identifier: EUPL-1.2
 *
 * See upkeep.h.
 */
#include "core/upkeep.h"

#include "core/limits.h"
#include "core/mailbox.h"
#include "core/note.h"
#include "core/reply.h"
#include "core/session.h"

#include <string.h>

enum {
    BACKUP_LOOK_MS = 250,           /* how old the state of a backup may be */
    CHECK_STEP_BYTES = 1024 * 1024, /* some milliseconds of the disk */
    CHECK_GAP_MS = 2,               /* between two steps: what waits goes first */
    SCRUB_STEP_BYTES = 256 * 1024,  /* nobody notices */
    SCRUB_GAP_LEAST_MS = 100,
    SCRUB_GAP_MOST_MS = 6 * 3600 * 1000, /* a small store is read more often than asked for */
    DAY_MS = 24 * 3600 * 1000,
};

static bool refuse(struct refusal *out_refusal, Relais__V1__Code code, const char *field,
                   const char *wrong, const char *right)
{
    *out_refusal = (struct refusal){.code = code, .field = field, .wrong = wrong, .right = right};
    return false;
}

/* Letters, digits, '.', '_' and '-', not beginning with '.': a file's name, whatever the folder. */
static bool is_name(const char *name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t size = strlen(name);
    return size <= STORED_BACKUP_BYTES && name[0] != '.' && name[0] != '-' &&
           strspn(name, allowed) == size;
}

static bool check_asker(const struct step *step, const struct directory_client *client, bool begins,
                        struct refusal *out_refusal)
{
    if ((client->roles & ROLE_MAY_OPERATE) == 0) {
        return refuse(out_refusal, RELAIS__V1__CODE__CODE_ROLE_MISSING, "client.roles",
                      "without operate", N_("a client with the role operate"));
    }
    if (begins && step->core->draining) {
        *out_refusal = session_draining();
        return false;
    }
    return true;
}

/* Answers. */

static const char *address_of(const struct core *core, uint32_t mailbox)
{
    for (size_t i = 0; mailbox != 0 && i < core->mailboxes.count; i++) {
        if (core->sorted[i]->id == mailbox) {
            return core->sorted[i]->name;
        }
    }
    return "";
}

static void answer_report(struct step *step, uint64_t connection, uint64_t number,
                          Relais__V1__Report *report)
{
    Relais__V1__Answer answer = RELAIS__V1__ANSWER__INIT;
    answer.number = number;
    answer.what_case = RELAIS__V1__ANSWER__WHAT_REPORT;
    answer.report = report;
    reply_answer(step, connection, &answer);
}

static void answer_backup(struct step *step, uint64_t connection, uint64_t number)
{
    const struct upkeep *upkeep = &step->core->upkeep;
    const struct store_backup *backup = &upkeep->backup;
    if (backup->phase == BACKUP_FAILED) {
        const struct refusal failed = {
            .code = RELAIS__V1__CODE__CODE_BACKUP_FAILED,
            .field = "manage.backup",
            .wrong = effects_text(step->effects, backup->detail),
            .right = N_("another try once the cause is gone; nothing of this one was kept"),
        };
        reply_answer_error(step, connection, number, &failed);
        return;
    }
    Relais__V1__Report report = RELAIS__V1__REPORT__INIT;
    report.job = upkeep->backup_job;
    report.running = backup->phase != BACKUP_DONE;
    report.name = (char *)effects_text(step->effects, backup->name);
    report.done_bytes = backup->done_bytes;
    report.total_bytes = backup->total_bytes;
    report.file_bytes = backup->file_bytes;
    report.records = backup->records;
    report.finding_count = backup->findings;
    report.took_ms = backup->took_ms;
    answer_report(step, connection, number, &report);
}

static Relais__V1__Finding *lay_finding(struct step *step, const struct store_finding *finding)
{
    Relais__V1__Finding *value = effects_alloc(step->effects, sizeof *value);
    if (value) {
        relais__v1__finding__init(value);
        value->fault = (char *)finding_fault_name(finding->fault);
        value->table = (char *)finding->table;
        value->address = (char *)address_of(step->core, finding->mailbox);
        value->sequence = finding->sequence;
        value->page = finding->page;
        value->aside = finding->aside;
    }
    return value;
}

static void answer_check(struct step *step, uint64_t connection, uint64_t number)
{
    const struct check_job *check = &step->core->upkeep.check;
    Relais__V1__Finding *findings[LIMIT_FINDINGS];
    Relais__V1__Report report = RELAIS__V1__REPORT__INIT;
    report.job = check->job;
    report.running = check->running;
    report.done_bytes = check->bytes;
    report.total_bytes = step->core->store_used_bytes;
    report.records = check->records;
    report.finding_count = check->finding_count;
    report.took_ms = (check->running ? step->now.mono_ms : check->end_ms) - check->begin_ms;
    report.findings = findings;
    for (; report.n_findings < check->kept; report.n_findings++) {
        findings[report.n_findings] = lay_finding(step, &check->findings[report.n_findings]);
        if (!findings[report.n_findings]) {
            return;
        }
    }
    answer_report(step, connection, number, &report);
}

/* Backup. */

static void look_at_backup(struct step *step)
{
    struct upkeep *upkeep = &step->core->upkeep;
    struct ticket *ticket = NULL;
    (void)core_op(step, STORE_BACKED_UP, &ticket);
    upkeep->backup_look_ms = 0; /* until it has been answered */
}

static void note_backup(struct step *step, const struct store_backup *backup)
{
    bool failed = backup->phase == BACKUP_FAILED;
    struct effect *effect = note(step->effects, failed ? NOTE_ERROR : NOTE_NOTICE,
                                 failed ? "backup.failed" : "backup.done");
    note_text(step->effects, effect, "name", backup->name);
    if (failed) {
        note_text(step->effects, effect, "detail", backup->detail);
        return;
    }
    note_number(effect, "bytes", backup->file_bytes);
    note_number(effect, "records", backup->records);
    note_number(effect, "findings", backup->findings);
    note_number(effect, "took_ms", (uint64_t)backup->took_ms);
}

static bool is_running(const struct upkeep *upkeep)
{
    return upkeep->backup.phase == BACKUP_COPYING || upkeep->backup.phase == BACKUP_CHECKING;
}

static void begin_backup(struct step *step, struct session *session,
                         const Relais__V1__Manage *manage)
{
    struct upkeep *upkeep = &step->core->upkeep;
    const char *name = manage->backup->name;
    struct refusal refusal;
    if (!is_name(name)) {
        (void)refuse(&refusal, RELAIS__V1__CODE__CODE_FIELD_INVALID, "manage.backup.name",
                     refusal_wrong(step->effects, name),
                     N_("at most 64 letters, digits, \".\", \"_\" and \"-\""));
        reply_answer_error(step, session->connection, manage->number, &refusal);
        return;
    }
    if (is_running(upkeep) && (name[0] == '\0' || strcmp(name, upkeep->backup.name) == 0)) {
        answer_backup(step, session->connection, manage->number);
        return;
    }
    struct ticket *ticket = NULL;
    struct store_op *op = core_op(step, STORE_BACKUP, &ticket);
    op->backup.name = effects_text(step->effects, name);
    if (ticket) {
        ticket->connection = session->connection;
        ticket->number = manage->number;
    }
}

static void manage_backup(struct step *step, struct session *session,
                          const Relais__V1__Manage *manage)
{
    const struct upkeep *upkeep = &step->core->upkeep;
    struct refusal refusal;
    if (manage->backup->job == 0) {
        begin_backup(step, session, manage);
    } else if (manage->backup->job == upkeep->backup_job) {
        answer_backup(step, session->connection, manage->number);
    } else {
        (void)refuse(&refusal, RELAIS__V1__CODE__CODE_BACKUP_FAILED, "manage.backup.job",
                     refusal_number(step->effects, manage->backup->job),
                     N_("the last backup since the broker started; a restart ends a backup"));
        reply_answer_error(step, session->connection, manage->number, &refusal);
    }
}

static void backup_begun(struct step *step, const struct ticket *ticket,
                         const struct store_result *result)
{
    struct upkeep *upkeep = &step->core->upkeep;
    const struct session *session = session_find(step->core, ticket->connection);
    if (result->status == STORE_DONE) {
        upkeep->backup = *result->backup;
        upkeep->backup_job = ++upkeep->last_job;
        upkeep->backup_look_ms = step->now.mono_ms + BACKUP_LOOK_MS;
        struct effect *effect = note(step->effects, NOTE_NOTICE, "backup.begun");
        note_text(step->effects, effect, "name", upkeep->backup.name);
        note_number(effect, "connection", ticket->connection);
        if (session) {
            note_text(step->effects, effect, "member", session->member);
        }
    } else {
        note_backup(step, result->backup);
    }
    if (!session || session->over) {
        return;
    }
    if (result->status == STORE_DONE) {
        answer_backup(step, ticket->connection, ticket->number);
        return;
    }
    struct refusal refusal;
    (void)refuse(&refusal, RELAIS__V1__CODE__CODE_BACKUP_FAILED, "manage.backup",
                 effects_text(step->effects, result->backup->detail),
                 N_("a folder backup.path with room enough, a new name, one backup at a time"));
    reply_answer_error(step, ticket->connection, ticket->number, &refusal);
}

static void backup_looked(struct step *step, const struct store_result *result)
{
    struct upkeep *upkeep = &step->core->upkeep;
    bool ran = is_running(upkeep);
    upkeep->backup = *result->backup;
    if (is_running(upkeep)) {
        upkeep->backup_look_ms = step->now.mono_ms + BACKUP_LOOK_MS;
    } else if (ran) {
        note_backup(step, &upkeep->backup);
    }
}

/* Check. */

static void take_step(struct step *step)
{
    struct check_job *check = &step->core->upkeep.check;
    struct ticket *ticket = NULL;
    struct store_op *op = core_op(step, STORE_CHECK, &ticket);
    op->check.begin = check->begins;
    op->check.max_bytes = check->scrubs ? SCRUB_STEP_BYTES : CHECK_STEP_BYTES;
    check->begins = false;
    check->step_ms = 0; /* until it has been answered */
    check->with_store = true;
}

static int64_t scrub_gap_ms(const struct core *core)
{
    uint64_t steps = core->store_used_bytes / SCRUB_STEP_BYTES + 1;
    uint64_t gap = (uint64_t)core->settings.scrub_days * DAY_MS / steps;
    gap = gap < SCRUB_GAP_LEAST_MS ? SCRUB_GAP_LEAST_MS : gap;
    return gap < SCRUB_GAP_MOST_MS ? (int64_t)gap : SCRUB_GAP_MOST_MS;
}

static void begin_round(struct step *step, bool scrubs)
{
    struct check_job *check = &step->core->upkeep.check;
    bool with_store = check->with_store;
    *check = (struct check_job){.job = ++step->core->upkeep.last_job,
                                .running = true,
                                .scrubs = scrubs,
                                .begins = true,
                                .with_store = with_store,
                                /* A step that is out belongs to the round before. */
                                .stale = with_store,
                                .begin_ms = step->now.mono_ms};
    if (!with_store) {
        take_step(step);
    }
}

static void manage_check(struct step *step, struct session *session,
                         const Relais__V1__Manage *manage)
{
    const struct check_job *check = &step->core->upkeep.check;
    struct refusal refusal;
    if (manage->check->job == 0 && (!check->running || check->scrubs)) {
        begin_round(step, false);
    }
    if (manage->check->job == 0 || manage->check->job == check->job) {
        answer_check(step, session->connection, manage->number);
        return;
    }
    (void)refuse(&refusal, RELAIS__V1__CODE__CODE_FIELD_INVALID, "manage.check.job",
                 refusal_number(step->effects, manage->check->job),
                 N_("the last check since the broker started; begin a new one"));
    reply_answer_error(step, session->connection, manage->number, &refusal);
}

static void note_finding(struct step *step, const struct store_finding *finding)
{
    struct effect *effect = note(step->effects, NOTE_ERROR, "store.finding");
    note_text(step->effects, effect, "fault", finding_fault_name(finding->fault));
    note_text(step->effects, effect, "table", finding->table);
    note_text(step->effects, effect, "mailbox", address_of(step->core, finding->mailbox));
    note_number(effect, "sequence", finding->sequence);
    note_number(effect, "page", finding->page);
    note_number(effect, "aside", finding->aside ? 1 : 0);
}

static void keep_findings(struct step *step, const struct store_checked *checked)
{
    struct core *core = step->core;
    struct check_job *check = &core->upkeep.check;
    for (uint32_t i = 0; i < checked->count; i++) {
        const struct store_finding *finding = &checked->findings[i];
        struct mailbox *mailbox = mailbox_known(core, address_of(core, finding->mailbox));
        if (finding->aside && mailbox) {
            mailbox_count_aside(core, mailbox, 1, finding->aside_bytes);
            /* What stood behind it in its order may be there now. */
            mailbox_expect(step, mailbox, 0);
        }
        core->upkeep.findings_total++;
        if (check->finding_count++ < LIMIT_FINDINGS) {
            check->findings[check->kept++] = *finding;
            note_finding(step, finding);
        }
    }
}

static void end_round(struct step *step)
{
    struct upkeep *upkeep = &step->core->upkeep;
    struct check_job *check = &upkeep->check;
    check->running = false;
    check->end_ms = step->now.mono_ms;
    upkeep->checked_ms = step->now.wall_ms;
    struct effect *effect =
        note(step->effects, check->finding_count > 0 ? NOTE_ERROR : NOTE_NOTICE, "store.checked");
    note_number(effect, "records", check->records);
    note_number(effect, "bytes", check->bytes);
    note_number(effect, "findings", check->finding_count);
    note_number(effect, "took_ms", (uint64_t)(check->end_ms - check->begin_ms));
    note_number(effect, "slow", check->scrubs ? 1 : 0);
}

static void step_done(struct step *step, const struct store_result *result)
{
    struct upkeep *upkeep = &step->core->upkeep;
    struct check_job *check = &upkeep->check;
    const struct store_checked *checked = result->checked;
    check->with_store = false;
    keep_findings(step, checked);
    if (check->stale) {
        check->stale = false;
        take_step(step);
        return;
    }
    check->records += checked->records;
    check->bytes += checked->bytes;
    if (checked->ended) {
        end_round(step);
    }
    if (check->running && !check->scrubs) {
        check->step_ms = step->now.mono_ms + CHECK_GAP_MS;
    } else if (step->core->settings.scrub_days > 0) {
        check->step_ms = step->now.mono_ms + scrub_gap_ms(step->core);
    }
}

/* Both. */

void upkeep_manage(struct step *step, struct session *session,
                   const struct directory_client *client, const Relais__V1__Manage *manage)
{
    bool backup = manage->what_case == RELAIS__V1__MANAGE__WHAT_BACKUP;
    uint32_t job = backup ? manage->backup->job : manage->check->job;
    struct refusal refusal = {0};
    if (!check_asker(step, client, job == 0, &refusal)) {
        reply_answer_error(step, session->connection, manage->number, &refusal);
    } else if (backup) {
        manage_backup(step, session, manage);
    } else {
        manage_check(step, session, manage);
    }
}

void upkeep_stored(struct step *step, const struct ticket *ticket,
                   const struct store_result *result)
{
    if (result->kind == STORE_CHECK) {
        step_done(step, result);
    } else if (result->kind == STORE_BACKUP) {
        backup_begun(step, ticket, result);
    } else {
        backup_looked(step, result);
    }
}

void upkeep_time(struct step *step)
{
    struct upkeep *upkeep = &step->core->upkeep;
    struct check_job *check = &upkeep->check;
    int64_t now_ms = step->now.mono_ms;
    if (upkeep->backup_look_ms > 0 && upkeep->backup_look_ms <= now_ms) {
        look_at_backup(step);
    }
    if (check->step_ms == 0 || check->step_ms > now_ms || step->core->draining) {
        return;
    }
    if (check->running) {
        take_step(step);
    } else {
        begin_round(step, true);
    }
}

static int64_t earlier(int64_t one_ms, int64_t other_ms)
{
    return one_ms == 0 || (other_ms != 0 && other_ms < one_ms) ? other_ms : one_ms;
}

int64_t upkeep_first_ms(const struct core *core)
{
    int64_t step_ms = core->draining ? 0 : core->upkeep.check.step_ms;
    return earlier(core->upkeep.backup_look_ms, step_ms);
}

void upkeep_start(struct step *step)
{
    if (step->core->settings.scrub_days > 0) {
        step->core->upkeep.check.step_ms = step->now.mono_ms + scrub_gap_ms(step->core);
    }
}
