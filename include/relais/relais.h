/* SPDX-License-Identifier: EUPL-1.2 */
/**
 * @file relais.h
 * Everything at once. This is all that an integrator reads; start with client.h.
 */
#ifndef RELAIS_RELAIS_H
#define RELAIS_RELAIS_H

#include <relais/client.h>
#include <relais/directory.h>
#include <relais/identity.h>
#include <relais/operate.h>
#include <relais/payload.h>
#include <relais/receive.h>
#include <relais/request.h>
#include <relais/sealing.h>
#include <relais/send.h>
#include <relais/track.h>
#include <relais/trust.h>
#include <relais/version.h>

#endif
