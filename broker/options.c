/* SPDX-License-Identifier: EUPL-1.2
 */
#include "broker/options.h"

#include "program/locale.h"

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>

static const char default_config[] = "/etc/relais/relaisd.yaml";

void options_print_help(void)
{
    (void)fputs(_("Usage: relaisd [--config FILE] [--check | --print-config]\n"
                  "       relaisd [--config FILE] --check-store | --compact-store |\n"
                  "               --restore BACKUP [--force]\n"
                  "\n"
                  "The broker of Relais: takes messages from its members, keeps them on disk and "
                  "delivers them.\n"
                  "\n"
                  "  -c, --config FILE   the configuration (default /etc/relais/relaisd.yaml)\n"
                  "      --check         check configuration, key, members and flows, and end\n"
                  "      --print-config  print the values that count, as YAML, and end\n"
                  "      --options       print the table of all options, and end\n"
                  "      --check-store   check the store, every record of it, and end\n"
                  "      --compact-store make the store's file as small as what is in it, and end\n"
                  "      --restore BACKUP\n"
                  "                      make a store of a backup, and end\n"
                  "      --force         with --restore: put a store that is there aside, and "
                  "restore\n"
                  "                      a damaged backup too\n"
                  "      --version       print the version, and end\n"
                  "  -h, --help          print this, and end\n"
                  "\n"
                  "SIGTERM: finish and end. SIGHUP: read members and flows again.\n"),
                stdout);
}

bool options_parse(int argc, char **argv, struct options *out_options)
{
    static const struct option known[] = {
        {"config", required_argument, NULL, 'c'},
        {"check", no_argument, NULL, 'k'},
        {"print-config", no_argument, NULL, 'p'},
        {"options", no_argument, NULL, 'o'},
        {"check-store", no_argument, NULL, 's'},
        {"compact-store", no_argument, NULL, 'm'},
        {"restore", required_argument, NULL, 'r'},
        {"force", no_argument, NULL, 'f'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option = 0;

    *out_options = (struct options){.action = ACTION_RUN, .config = default_config};
    while ((option = getopt_long(argc, argv, "c:h", known, NULL)) != -1) {
        switch (option) {
        case 'c':
            out_options->config = optarg;
            break;
        case 'k':
            out_options->action = ACTION_CHECK;
            break;
        case 'p':
            out_options->action = ACTION_PRINT_CONFIG;
            break;
        case 'o':
            out_options->action = ACTION_PRINT_OPTIONS;
            break;
        case 's':
            out_options->action = ACTION_CHECK_STORE;
            break;
        case 'm':
            out_options->action = ACTION_COMPACT_STORE;
            break;
        case 'r':
            out_options->action = ACTION_RESTORE;
            out_options->backup = optarg;
            break;
        case 'f':
            out_options->force = true;
            break;
        case 'v':
            out_options->action = ACTION_VERSION;
            break;
        case 'h':
            out_options->action = ACTION_HELP;
            break;
        default:
            (void)fputs(_("Try: relaisd --help\n"), stderr);
            return false;
        }
    }
    if (optind < argc) {
        (void)fprintf(stderr, _("relaisd: \"%s\" is one argument too many; try: relaisd --help\n"),
                      argv[optind]);
        return false;
    }
    return true;
}
