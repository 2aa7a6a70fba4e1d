/* SPDX-License-Identifier: EUPL-1.2 */
#include "core/stored_deadline.h"

int64_t stored_deadline_at(const struct stored_deadline *deadline, uint8_t step)
{
    return step < deadline->remind_count ? deadline->remind_ms[step] : deadline->deadline_ms;
}

uint8_t stored_deadline_step(const struct stored_deadline *deadline, int64_t now_ms)
{
    uint8_t step = deadline->step;
    while (step < deadline->remind_count &&
           stored_deadline_at(deadline, (uint8_t)(step + 1)) <= now_ms) {
        step++;
    }
    return step;
}

uint32_t stored_deadline_after(const struct stored_deadline *deadline, uint8_t step)
{
    return step == deadline->step ? deadline->after : 0;
}

bool stored_deadline_pass(struct stored_deadline *deadline, uint8_t step, uint32_t last)
{
    deadline->after = last;
    deadline->step = (uint8_t)(last > 0 ? step : step + 1);
    return deadline->step <= deadline->remind_count;
}
