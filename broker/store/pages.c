/* SPDX-License-Identifier: EUPL-1.2
 *
 * Page: number u64, pad u16, flags u16, then lower u16 and upper u16, or how many pages the run has
 * u32. Behind it the places of the nodes, u16 each, up to `lower`; the nodes fill it from its end
 * down to `upper`. Node: u16 low, u16 high, u16 flags, u16 key size, key, value. Low and high are a
 * leaf's value size; with the flags they are a branch's child. All in the machine's order.
 */
#include "store/pages.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { NODE_HEAD = 8, RUN_NUMBER_BYTES = 8, META_VERSION = 1 };
static const uint32_t META_MAGIC = 0xBEEFC0DE;

static uint16_t number16(const uint8_t *at)
{
    uint16_t value = 0;
    memcpy(&value, at, sizeof value);
    return value;
}

static uint32_t number32(const uint8_t *at)
{
    uint32_t value = 0;
    memcpy(&value, at, sizeof value);
    return value;
}

static uint64_t number64(const uint8_t *at)
{
    uint64_t value = 0;
    memcpy(&value, at, sizeof value);
    return value;
}

/* Tree: pad u32, flags u16, depth u16, five numbers u64. */
bool page_tree_read(struct bytes record, struct page_tree *out_tree)
{
    if (record.size != PAGES_TREE_BYTES) {
        return false;
    }
    const uint8_t *at = record.data;
    *out_tree = (struct page_tree){
        .flags = number16(at + 4),
        .depth = number16(at + 6),
        .branch_pages = number64(at + 8),
        .leaf_pages = number64(at + 16),
        .overflow_pages = number64(at + 24),
        .entries = number64(at + 32),
        .root = number64(at + 40),
    };
    return true;
}

/* Meta: magic u32, version u32, address u64, map size u64, two trees (the first one's pad is the
 * page size), last page u64, transaction u64. */
bool page_meta_read(const uint8_t *page, uint64_t number, struct page_meta *out_meta)
{
    const uint8_t *meta = page + PAGES_HEAD;
    const uint8_t *trees = meta + 24;
    out_meta->page_bytes = number32(trees);
    (void)page_tree_read((struct bytes){trees, PAGES_TREE_BYTES}, &out_meta->free_pages);
    (void)page_tree_read((struct bytes){trees + PAGES_TREE_BYTES, PAGES_TREE_BYTES},
                         &out_meta->names);
    out_meta->last_page = number64(trees + 96);
    out_meta->transaction = number64(trees + 104);
    return number64(page) == number && (number16(page + 10) & PAGE_META) != 0 &&
           number32(meta) == META_MAGIC && number32(meta + 4) == META_VERSION;
}

static bool read_at(struct pages *pages, uint64_t number, uint8_t *out, size_t size)
{
    size_t done = 0;
    while (done < size) {
        off_t at = (off_t)(number * pages->page_bytes + done);
        ssize_t got = pread(pages->fd, out + done, size - done, at);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        done += (size_t)got;
    }
    pages->read_bytes += size;
    return true;
}

/* False: one of them was given before. */
static bool note_seen(struct pages *pages, uint64_t number, uint64_t count)
{
    if (pages->seen == NULL) {
        return true;
    }
    for (uint64_t page = number; page < number + count; page++) {
        uint8_t bit = (uint8_t)(1U << (page % 8));
        if ((pages->seen[page / 8] & bit) != 0) {
            return false;
        }
        pages->seen[page / 8] |= bit;
    }
    return true;
}

static bool is_inside(const struct pages *pages, uint64_t number, uint64_t count)
{
    return number >= PAGES_META && number <= pages->last_page && count >= 1 &&
           count <= pages->last_page - number + 1;
}

unsigned page_nodes(const uint8_t *page)
{
    return (unsigned)(number16(page + 12) - PAGES_HEAD) / 2;
}

static const uint8_t *node_at(const uint8_t *page, unsigned index)
{
    return page + number16(page + PAGES_HEAD + (size_t)index * 2);
}

static size_t node_bytes(const uint8_t *node, enum page_kind kind)
{
    size_t size = NODE_HEAD + (size_t)number16(node + 6);
    if (kind == PAGE_LEAF) {
        bool run = (number16(node + 4) & NODE_RUN) != 0;
        size += run ? (size_t)RUN_NUMBER_BYTES : number32(node);
    }
    return size + size % 2;
}

static const char *check_nodes(const struct pages *pages, const uint8_t *page, enum page_kind kind)
{
    size_t lower = number16(page + 12);
    size_t upper = number16(page + 14);
    size_t sum = 0;
    if (lower < PAGES_HEAD + 2 || lower % 2 != 0 || lower > upper || upper > pages->page_bytes) {
        return "its bounds cannot be";
    }
    for (unsigned i = 0; i < page_nodes(page); i++) {
        size_t at = number16(page + PAGES_HEAD + (size_t)i * 2);
        if (at < upper || at % 2 != 0 || at + NODE_HEAD > pages->page_bytes) {
            return "a record lies outside it";
        }
        size_t size = node_bytes(page + at, kind);
        if (size > pages->page_bytes - at || number16(page + at + 6) > PAGES_KEY_BYTES) {
            return "a record lies outside it";
        }
        sum += size;
    }
    return sum <= pages->page_bytes - upper ? NULL : "its records overlap";
}

enum page_end pages_read(struct pages *pages, uint64_t number, enum page_kind kind,
                         uint8_t *out_page, const char **out_what)
{
    *out_what = "it lies outside the file";
    if (!is_inside(pages, number, 1)) {
        return PAGE_BROKEN;
    }
    if (!read_at(pages, number, out_page, pages->page_bytes)) {
        *out_what = "it cannot be read";
        return PAGE_UNREADABLE;
    }
    if (number64(out_page) != number || number16(out_page + 10) != kind) {
        *out_what = "it is not the page that should be there";
        return PAGE_BROKEN;
    }
    *out_what = check_nodes(pages, out_page, kind);
    if (*out_what == NULL && !note_seen(pages, number, 1)) {
        *out_what = "it is used twice";
    }
    return *out_what == NULL ? PAGE_READ : PAGE_BROKEN;
}

enum page_end pages_read_run(struct pages *pages, uint64_t number, size_t size, uint8_t *out_run,
                             uint64_t *out_pages, const char **out_what)
{
    uint64_t needed = (PAGES_HEAD - 1 + size) / pages->page_bytes + 1;
    *out_what = "its run lies outside the file";
    if (!is_inside(pages, number, needed)) {
        return PAGE_BROKEN;
    }
    if (!read_at(pages, number, out_run, PAGES_HEAD + size)) {
        *out_what = "it cannot be read";
        return PAGE_UNREADABLE;
    }
    *out_pages = number32(out_run + 12);
    if (number64(out_run) != number || number16(out_run + 10) != PAGE_OVERFLOW ||
        *out_pages < needed || !is_inside(pages, number, *out_pages)) {
        *out_what = "it is not the run that should be there";
        return PAGE_BROKEN;
    }
    if (!note_seen(pages, number, *out_pages)) {
        *out_what = "it is used twice";
        return PAGE_BROKEN;
    }
    return PAGE_READ;
}

struct page_node page_node(const uint8_t *page, enum page_kind kind, unsigned index)
{
    const uint8_t *node = node_at(page, index);
    size_t key_bytes = number16(node + 6);
    struct page_node found = {.key = {node + NODE_HEAD, key_bytes}};
    if (kind == PAGE_BRANCH) {
        found.child = number32(node) | (uint64_t)number16(node + 4) << 32;
    } else {
        found.flags = number16(node + 4);
        found.data_bytes = number32(node);
        found.data = node + NODE_HEAD + key_bytes;
    }
    return found;
}
