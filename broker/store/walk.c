/* SPDX-License-Identifier: EUPL-1.2
 *
 * A branch's key is both the end of what is left of it and the beginning of what is right of it:
 * passing it moves `last` there, so that one comparison a key checks both.
 */
#include "store/walk.h"

#include <stdlib.h>
#include <string.h>

void walk_init(struct walk *walk, struct pages *pages, size_t value_max)
{
    *walk = (struct walk){.pages = pages, .value_max = value_max};
}

void walk_fini(struct walk *walk)
{
    for (int i = 0; i < PAGES_DEPTH_MAX; i++) {
        free(walk->buffers[i]);
        walk->buffers[i] = NULL;
    }
    free(walk->value);
    walk->value = NULL;
}

void walk_forget(struct walk *walk)
{
    for (int i = 0; i < PAGES_DEPTH_MAX; i++) {
        walk->levels[i].page = 0;
    }
}

static int compare(const struct walk *walk, struct bytes left, struct bytes right)
{
    if (walk->numbers && left.size == sizeof(uint64_t) && right.size == sizeof(uint64_t)) {
        uint64_t numbers[2];
        memcpy(&numbers[0], left.data, sizeof numbers[0]);
        memcpy(&numbers[1], right.data, sizeof numbers[1]);
        return numbers[0] < numbers[1] ? -1 : numbers[0] > numbers[1];
    }
    size_t common = left.size < right.size ? left.size : right.size;
    int order = common > 0 ? memcmp(left.data, right.data, common) : 0;
    return order != 0 ? order : left.size < right.size ? -1 : left.size > right.size;
}

static enum walk_step broken(struct walk *walk, uint64_t page, const char *what)
{
    walk->broken_page = page;
    walk->broken_what = what;
    return WALK_BROKEN;
}

static struct bytes last_key(const struct walk *walk)
{
    return (struct bytes){walk->last, walk->last_bytes};
}

/* False: the key may not come here. */
static bool pass(struct walk *walk, struct bytes key, bool itself_allowed)
{
    int order = walk->begun ? compare(walk, last_key(walk), key) : -1;
    if (order > 0 || (order == 0 && !walk->last_allowed)) {
        return false;
    }
    memcpy(walk->last, key.data, key.size);
    walk->last_bytes = key.size;
    walk->last_allowed = itself_allowed;
    walk->begun = true;
    return true;
}

static enum page_kind kind_of(const struct walk *walk, unsigned level)
{
    return level + 1 == walk->tree.depth ? PAGE_LEAF : PAGE_BRANCH;
}

/* One level down, onto this page. WALK_RECORD when it is there. */
static enum walk_step push(struct walk *walk, uint64_t number)
{
    unsigned level = walk->depth;
    struct walk_level *at = &walk->levels[level];
    const char *what = NULL;
    if (level >= walk->tree.depth) {
        return broken(walk, number, "the tree is deeper than it says");
    }
    if (walk->buffers[level] == NULL) {
        walk->buffers[level] = malloc(walk->pages->page_bytes);
    }
    if (walk->buffers[level] == NULL) {
        return WALK_FAILED;
    }
    enum page_kind kind = kind_of(walk, level);
    /* What is watched is read each time, or a page that comes twice would not be noticed. */
    bool at_hand = at->page != 0 && at->page == number && at->kind == kind;
    if (!at_hand || walk->pages->seen != NULL) {
        at->page = 0;
        enum page_end end = pages_read(walk->pages, number, kind, walk->buffers[level], &what);
        if (end != PAGE_READ) {
            (void)broken(walk, number, what);
            return end == PAGE_BROKEN ? WALK_BROKEN : WALK_FAILED;
        }
    }
    *at = (struct walk_level){
        .page = number, .kind = kind, .nodes = page_nodes(walk->buffers[level])};
    walk->counts.leaf_pages += kind == PAGE_LEAF ? 1 : 0;
    walk->counts.branch_pages += kind == PAGE_BRANCH ? 1 : 0;
    walk->depth++;
    return WALK_RECORD;
}

static enum walk_step read_run(struct walk *walk, const struct page_node *node, uint64_t page)
{
    uint64_t number = 0;
    uint64_t pages = 0;
    const char *what = NULL;
    memcpy(&number, node->data, sizeof number);
    if (node->data_bytes > walk->value_max) {
        return broken(walk, page, "a record is too long");
    }
    if (walk->value_capacity < node->data_bytes) {
        uint8_t *value = realloc(walk->value, node->data_bytes + PAGES_HEAD);
        if (value == NULL) {
            return WALK_FAILED;
        }
        walk->value = value;
        walk->value_capacity = node->data_bytes;
    }
    enum page_end end =
        pages_read_run(walk->pages, number, node->data_bytes, walk->value, &pages, &what);
    if (end != PAGE_READ) {
        (void)broken(walk, number, what);
        return end == PAGE_BROKEN ? WALK_BROKEN : WALK_FAILED;
    }
    walk->counts.overflow_pages += pages;
    walk->record = (struct bytes){walk->value + PAGES_HEAD, node->data_bytes};
    return WALK_RECORD;
}

static enum walk_step read_leaf(struct walk *walk, unsigned level)
{
    struct walk_level *at = &walk->levels[level];
    struct page_node node = page_node(walk->buffers[level], PAGE_LEAF, at->next++);
    if ((node.flags & ~(NODE_RUN | NODE_TREE)) != 0) {
        return broken(walk, at->page, "a record is of a kind that no store has");
    }
    walk->counts.entries++;
    if (!pass(walk, node.key, false)) {
        return broken(walk, at->page, "its keys are not in order");
    }
    walk->key = node.key;
    walk->flags = node.flags;
    walk->record = (struct bytes){node.data, node.data_bytes};
    if ((node.flags & NODE_RUN) == 0) {
        return WALK_RECORD;
    }
    walk->record = (struct bytes){0};
    return walk->keys_only ? WALK_RECORD : read_run(walk, &node, at->page);
}

static enum walk_step read_branch(struct walk *walk, unsigned level)
{
    struct walk_level *at = &walk->levels[level];
    unsigned index = at->next++;
    struct page_node node = page_node(walk->buffers[level], PAGE_BRANCH, index);
    /* The first key of a branch is not looked at by LMDB, nor always kept. */
    if (index > 0 && !pass(walk, node.key, true)) {
        return broken(walk, at->page, "its keys are not in order");
    }
    return push(walk, node.child);
}

enum walk_step walk_next(struct walk *walk)
{
    while (walk->depth > 0) {
        unsigned level = walk->depth - 1;
        if (walk->levels[level].next >= walk->levels[level].nodes) {
            walk->depth--;
            continue;
        }
        if (kind_of(walk, level) == PAGE_LEAF) {
            return read_leaf(walk, level);
        }
        enum walk_step step = read_branch(walk, level);
        if (step != WALK_RECORD) {
            return step;
        }
    }
    return WALK_END;
}

static enum walk_step enter(struct walk *walk, const struct page_tree *tree)
{
    walk->tree = *tree;
    walk->depth = 0;
    walk->begun = false;
    walk->key = (struct bytes){0};
    walk->counts = (struct walk_counts){0};
    if (tree->root == PAGES_NONE) {
        return WALK_END;
    }
    if (tree->depth == 0 || tree->depth > PAGES_DEPTH_MAX) {
        walk->tree.depth = 0;
        return broken(walk, tree->root, "its tree has a depth that cannot be");
    }
    return push(walk, tree->root);
}

/* The last node whose key is not above `from`; in a leaf the first that is not below it. */
static unsigned place(const struct walk *walk, unsigned level, struct bytes from)
{
    enum page_kind kind = kind_of(walk, level);
    unsigned low = kind == PAGE_BRANCH ? 1 : 0;
    unsigned high = walk->levels[level].nodes;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        int order = compare(walk, page_node(walk->buffers[level], kind, middle).key, from);
        if (order < 0 || (order == 0 && kind == PAGE_BRANCH)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return kind == PAGE_BRANCH ? low - 1 : low;
}

enum walk_step walk_begin(struct walk *walk, const struct page_tree *tree)
{
    return enter(walk, tree);
}

enum walk_step walk_seek(struct walk *walk, const struct page_tree *tree, struct bytes from)
{
    enum walk_step step = enter(walk, tree);
    if (step != WALK_RECORD || !pass(walk, from, true)) {
        return step;
    }
    while (step == WALK_RECORD) {
        unsigned level = walk->depth - 1;
        unsigned index = place(walk, level, from);
        walk->levels[level].next = index;
        if (kind_of(walk, level) == PAGE_LEAF) {
            return WALK_RECORD;
        }
        walk->levels[level].next++;
        step = push(walk, page_node(walk->buffers[level], PAGE_BRANCH, index).child);
    }
    return step;
}

enum walk_step walk_find(struct walk *walk, const struct page_tree *tree, struct bytes key)
{
    enum walk_step step = walk_seek(walk, tree, key);
    if (step == WALK_RECORD) {
        step = walk_next(walk);
    }
    if (step != WALK_RECORD) {
        return step;
    }
    return compare(walk, walk->key, key) == 0 ? WALK_RECORD : WALK_END;
}
