/* SPDX-License-Identifier: EUPL-1.2
 *
 * Every configuration file that people write: any bytes give a value that passes its own check, or
 * an error that says where. The first byte chooses the kind of file.
 */
#include "broker/config.h"

#include <assert.h>
#include <relais/directory.h>
#include <relais/profile.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/relais-fuzz-XXXXXX";
static int fd = -1;

static void remove_file(void)
{
    (void)unlink(path);
}

static void write_file(const uint8_t *data, size_t size)
{
    if (fd < 0) {
        fd = mkstemp(path);
        assert(fd >= 0);
        (void)atexit(remove_file);
    }
    assert(ftruncate(fd, 0) == 0);
    assert(pwrite(fd, data, size, 0) == (ssize_t)size);
}

/* What was read passes the check that saving asks for. */
static void try_member(relais_error *error)
{
    relais_member *member = NULL;

    if (relais_member_load(path, &member, error) == RELAIS_OK) {
        assert(relais_member_check(member, error) == RELAIS_OK);
        relais_member_free(member);
    } else {
        assert(error->field[0] != '\0');
    }
}

static void try_flow(relais_error *error)
{
    relais_flow *flow = NULL;

    if (relais_flow_load(path, &flow, error) == RELAIS_OK) {
        assert(relais_flow_check(flow, error) == RELAIS_OK);
        relais_flow_free(flow);
    } else {
        assert(error->field[0] != '\0');
    }
}

static void try_broker(relais_error *error)
{
    struct config config = {0};

    if (config_load(path, &config, error) == RELAIS_OK) {
        assert(config.listen != NULL && config.key[0] == '/');
        config_fini(&config);
    } else {
        assert(error->field[0] != '\0');
    }
}

static void try_profile(relais_error *error)
{
    relais_profile profile;

    if (relais_profile_load(path, &profile, error) == RELAIS_OK) {
        assert(profile.key_path[0] == '/');
    } else {
        assert(error->field[0] != '\0');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    void (*const kinds[])(relais_error *) = {try_member, try_flow, try_broker, try_profile};
    relais_error error = {0};

    if (size > 0) {
        write_file(data + 1, size - 1);
        kinds[data[0] % (sizeof kinds / sizeof kinds[0])](&error);
    }
    return 0;
}
