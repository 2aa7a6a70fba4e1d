/* SPDX-License-Identifier: EUPL-1.2
 *
 * power_cut [--images N] [--seed S] [--control NAME]: cuts the power of the store.
 *
 * A script of ops runs once on the real engine while every write and sync of its file is kept. Then
 * the file is made again as a cut would have left it, at each of these events and with all kinds of
 * luck for what was not synced, and opened. It must be as after one of the ops, and after none
 * earlier than the last one that was said to be done. Ends with 1 at the first image that is not.
 *
 * With --control the engine is broken on purpose, and it ends with 1 unless that is found.
 */
#include "tests/chaos/power/controls.h"
#include "tests/chaos/power/disk.h"
#include "tests/chaos/power/image.h"
#include "tests/chaos/power/inspect.h"
#include "tests/chaos/power/script.h"
#include "tests/unit/store/bench.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    IMAGES = 2000,
    IMAGES_A_SCRIPT = 500, /* then another seed */
    GROUP_MOST = 6,        /* ops handed over at once */
    LAG_MOST = 14,         /* ops without a result */
    OPTIONS_EXIT = 64,     /* EX_USAGE */
};

struct run {
    struct script script;
    enum control control;
    uint64_t random;
    struct bench bench;
    struct model model;
    size_t submitted, confirmed;
    struct disk_event *events;
    size_t event_count;
    uint64_t images;
};

static void die(const char *what)
{
    (void)fprintf(stderr, "power_cut: %s\n", what);
    exit(2); /* NOLINT(concurrency-mt-unsafe) */
}

static void mark(const struct run *run)
{
    disk_mark(run->submitted, run->control == CONTROL_EARLY ? run->submitted : run->confirmed);
}

static void collect(struct run *run, size_t lag)
{
    while (run->submitted - run->confirmed > lag) {
        struct store_result result = {0};
        if (bench_collect(&run->bench, &result, 1) != 1) {
            die("the store failed");
        }
        const struct step *step = &run->script.steps[run->confirmed];
        if (result.kind != step->kind || result.status != STORE_DONE ||
            (step->kind == STORE_APPEND && (result.append.duplicate != step->known ||
                                            result.append.sequence != step->message + 1))) {
            die("a result is not what the script says");
        }
        run->confirmed++;
        mark(run);
    }
}

/* Hands over as many as by chance, and waits for some. */
static void do_group(struct run *run)
{
    struct store_op ops[GROUP_MOST];
    struct store_recipient recipients[GROUP_MOST][SCRIPT_MAILBOXES];
    size_t size = 1 + next_random(&run->random) % GROUP_MOST;
    size_t count = 0;
    while (count < size && run->submitted < SCRIPT_OPS) {
        model_after(&run->model, &run->script, run->submitted);
        ops[count] = script_op(&run->script, run->submitted, &run->model, recipients[count]);
        run->submitted++;
        count++;
    }
    mark(run);
    bench_submit(&run->bench, ops, count);
    collect(run, next_random(&run->random) % LAG_MOST);
}

/* Without a log, with one that is full all the time, and with one that holds the whole script. What
 * a control breaks in LMDB must not be mended by the log. */
static uint64_t log_bytes(const struct run *run, uint64_t seed)
{
    static const uint64_t bytes[] = {48 * 1024, 0, 1024 * 1024, 160 * 1024};
    bool without = run->control == CONTROL_NOSYNC || run->control == CONTROL_NO_DUPLICATE;
    bool with = run->control == CONTROL_NO_LOG_SYNC;
    return without ? 0 : bytes[with ? 2 : seed % 4];
}

/* Runs the script and keeps what it did to the disk. */
static void live(struct run *run, uint64_t seed)
{
    run->random = seed;
    run->submitted = 0;
    run->confirmed = 0;
    script_make(&run->script, seed, run->control != CONTROL_NO_DUPLICATE);
    bench_init(&run->bench, ENGINE_LMDB);
    run->bench.settings.redo_bytes = log_bytes(run, seed);
    disk_record_begin();
    bench_open(&run->bench);
    for (size_t i = 0; i < SCRIPT_MAILBOXES; i++) {
        (void)bench_one(&run->bench, op_mailbox(script_mailbox_id(i), script_mailbox_name(i)));
    }
    mark(run);
    while (run->submitted < SCRIPT_OPS) {
        do_group(run);
    }
    collect(run, 0);
    disk_record_end(&run->events, &run->event_count);
    bench_close(&run->bench);
}

static const char *const luck_names[] = {"all written", "only what was synced", "some writes",
                                         "torn writes"};

/* One image at this place. False: it is not as it must be. */
static bool try_image(struct run *run, const struct image *image, enum image_luck luck,
                      struct file_bytes files[DISK_FILES])
{
    struct inspection inspection = {.script = &run->script,
                                    .named = image->named,
                                    .used = image->opened,
                                    .from = image->confirmed,
                                    .until = image->submitted};
    if (!image->opened && image->named) {
        inspection.named = next_random(&run->random) % 2 == 0; /* the folder is not synced yet */
    }
    (void)snprintf(inspection.path, sizeof inspection.path, "%.100s/image", run->bench.folder);
    image_cut(image, luck, &run->random, files);
    run->images++;
    if (inspect_image(&inspection, files)) {
        return true;
    }
    (void)printf("cut before event %zu of %zu, %s: %s\n", image->cut, run->event_count,
                 luck_names[luck], inspection.text);
    return false;
}

/* Every place gets an image of each kind before any gets a second. */
static bool cut_everywhere(struct run *run, uint64_t images)
{
    struct image image = {.events = run->events};
    struct file_bytes files[DISK_FILES] = {{0}};
    uint64_t places = run->event_count + 1;
    uint64_t before = run->images;
    bool good = true;
    for (uint64_t place = 0; good && place < places; place++) {
        uint64_t until = before + images * (place + 1) / places;
        for (unsigned i = 0; good && run->images < until; i++) {
            enum image_luck luck = (enum image_luck)((place + i) % 4);
            good = try_image(run, &image, luck, files);
        }
        if (place < run->event_count) {
            image_advance(&image);
        }
    }
    image_fini(&image);
    for (int file = 0; file < DISK_FILES; file++) {
        file_bytes_free(&files[file]);
    }
    return good;
}

static void clean_up(struct run *run)
{
    char path[BENCH_PATH_BYTES * 2];
    static const char *const names[] = {"data.mdb", "data.mdb.new", "lock.mdb", "lock", "redo.log"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/image/%s", run->bench.folder, names[i]);
        (void)unlink(path);
    }
    (void)snprintf(path, sizeof path, "%s/image", run->bench.folder);
    (void)rmdir(path);
    disk_events_free(run->events, run->event_count);
    run->events = NULL;
    run->event_count = 0;
    bench_fini(&run->bench);
}

static bool number(const char *text, uint64_t *out_number)
{
    char *end = NULL;
    errno = 0;
    *out_number = strtoull(text, &end, 10);
    return errno == 0 && end != text && *end == '\0';
}

static bool named_control(const char *name, enum control *out_control)
{
    for (int i = CONTROL_NONE + 1; i < CONTROL_COUNT; i++) {
        if (strcmp(name, control_names[i]) == 0) {
            *out_control = (enum control)i;
            return true;
        }
    }
    return false;
}

static bool read_options(int argc, char **argv, struct run *run, uint64_t *images, uint64_t *seed)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        bool good = strcmp(argv[i], "--images") == 0    ? number(argv[i + 1], images)
                    : strcmp(argv[i], "--seed") == 0    ? number(argv[i + 1], seed)
                    : strcmp(argv[i], "--control") == 0 ? named_control(argv[i + 1], &run->control)
                                                        : false;
        if (!good) {
            return false;
        }
    }
    return argc % 2 == 1;
}

int main(int argc, char **argv)
{
    static struct run run; /* large */
    uint64_t images = IMAGES;
    uint64_t seed = 1;
    bool good = true;
    if (!read_options(argc, argv, &run, &images, &seed)) {
        (void)fputs("usage: power_cut [--images N] [--seed S] [--control "
                    "nosync|early|no-log-sync|no-duplicate]\n",
                    stderr);
        return OPTIONS_EXIT;
    }
    while (good && run.images < images) {
        uint64_t some =
            images - run.images < IMAGES_A_SCRIPT ? images - run.images : IMAGES_A_SCRIPT;
        control_set(run.control);
        live(&run, seed);
        control_set(CONTROL_NONE);
        good = cut_everywhere(&run, some);
        (void)printf("seed %" PRIu64 ": %zu events of the disk, %" PRIu64 " images so far\n", seed,
                     run.event_count, run.images);
        clean_up(&run);
        seed++;
    }
    if (run.control != CONTROL_NONE) {
        (void)printf("control %s: %s after %" PRIu64 " images\n", control_names[run.control],
                     good ? "NOT found" : "found", run.images);
        return good ? EXIT_FAILURE : EXIT_SUCCESS;
    }
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
