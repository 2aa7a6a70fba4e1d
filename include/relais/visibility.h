/* SPDX-License-Identifier: EUPL-1.2 */
/**
 * @file visibility.h
 * What librelais exports, and what its callers must not throw away.
 */
#ifndef RELAIS_VISIBILITY_H
#define RELAIS_VISIBILITY_H

#if defined(__GNUC__)
#define RELAIS_API        __attribute__((visibility("default")))
#define RELAIS_MUST_CHECK __attribute__((warn_unused_result))
#else
#define RELAIS_API
#define RELAIS_MUST_CHECK
#endif

#endif
