/* SPDX-License-Identifier: EUPL-1.2
 *
 * See chance.h.
 */
#include "chance.h"

uint64_t chance_next(struct chance *chance)
{
    chance->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t mixed = chance->state;
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

uint32_t chance_below(struct chance *chance, uint32_t bound)
{
    return (uint32_t)(((chance_next(chance) >> 32) * bound) >> 32);
}

uint32_t chance_between(struct chance *chance, uint32_t low, uint32_t high)
{
    return low + chance_below(chance, high - low + 1);
}

bool chance_is(struct chance *chance, uint32_t per_mille)
{
    return per_mille > 0 && chance_below(chance, 1000) < per_mille;
}

uint32_t chance_delay(struct chance *chance, uint32_t low, uint32_t high)
{
    uint32_t most = chance_is(chance, 50) ? high : low + (high - low) / 16;
    return chance_between(chance, low, most);
}
