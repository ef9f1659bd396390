/**
 * Scrolling of a list that grows at both ends.
 *
 * The list is laid out from its end (`flex-direction: column-reverse` around one child), so it stays at the
 * newest message by itself and nothing jumps when older ones are put before it. `scrollTop` is 0 at the newest
 * message and negative above it. What comes in below while the agent reads above is held in place here.
 */
import { onPatched, onWillPatch, reactive, useState } from "@odoo/owl";

/** This close (px) to the newest message counts as being there. */
const NEAR_END = 32;
/** This close (px) to the oldest loaded message more are wanted. */
const NEAR_START = 400;

/**
 * @param {{ el: HTMLElement | null }} ref the scrolling element; its only child holds the rows
 * @param {{ onScroll?: () => void }} [options]
 */
export function useScroll(ref, { onScroll } = {}) {
    const state = reactive({ atEnd: true });
    let held = null;

    onWillPatch(() => {
        held = state.atEnd ? null : firstVisible(ref.el);
    });
    onPatched(() => {
        if (held?.row.isConnected) {
            ref.el.scrollTop += held.row.getBoundingClientRect().top - held.top;
        }
        held = null;
    });

    return Object.assign(useState(state), {
        onScroll() {
            state.atEnd = ref.el.scrollTop > -NEAR_END;
            onScroll?.();
        },
        toEnd() {
            if (ref.el) {
                ref.el.scrollTop = 0;
                state.atEnd = true;
            }
        },
        /** Bring a row to the upper edge, when it is above it. */
        toRow(row) {
            const above = ref.el.getBoundingClientRect().top - row.getBoundingClientRect().top;
            if (above > 0) {
                ref.el.scrollTop -= above;
                this.onScroll();
            }
        },
        /** Bring a row to the middle. */
        toMiddle(row) {
            const { top, height } = ref.el.getBoundingClientRect();
            const place = row.getBoundingClientRect();
            ref.el.scrollTop += place.top + place.height / 2 - (top + height / 2);
            this.onScroll();
        },
        isNearStart() {
            const { scrollHeight, scrollTop, clientHeight } = ref.el;
            return scrollHeight - clientHeight + scrollTop < NEAR_START;
        },
    });
}

/** The first row that is not wholly above the visible part: rows are in order, so search by halves. */
function firstVisible(el) {
    const rows = el?.firstElementChild?.children || [];
    const edge = el?.getBoundingClientRect().top;
    let low = 0;
    let high = rows.length;
    while (low < high) {
        const middle = (low + high) >> 1;
        if (rows[middle].getBoundingClientRect().bottom > edge) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low < rows.length ? { row: rows[low], top: rows[low].getBoundingClientRect().top } : null;
}
