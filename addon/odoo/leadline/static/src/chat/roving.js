/**
 * Moving between messages by keyboard: arrows, Home and End in the list; Tab reaches what the message in focus
 * offers, and leads out of the list after it instead of through every link and button of the conversation.
 */
import { onMounted, onPatched } from "@odoo/owl";

const CONTROLS = "a[href], button, input, select, video, audio";
/** These need the arrows themselves. */
const TAKES_ARROWS = "input, select, textarea, video, audio";

/**
 * @param {{ el: HTMLElement | null }} ref the list
 * @param {{ rows: string, keys?: Object<string, (ev: KeyboardEvent) => void> }} options `rows`: selector of what is
 *  moved between; `keys`: other keys that do something there
 * @returns {{ onKeydown: (ev: KeyboardEvent) => void, onFocusin: (ev: FocusEvent) => void }}
 */
export function useRoving(ref, { rows, keys = {} }) {
    /** @type {Element|null} the one whose controls Tab reaches */
    let active = null;
    const all = () => [...ref.el.querySelectorAll(rows)];

    function settle() {
        if (!ref.el) {
            return;
        }
        for (const control of ref.el.querySelectorAll(CONTROLS)) {
            const row = control.closest(rows);
            if (row) {
                control.tabIndex = row === active ? 0 : -1;
            }
        }
    }
    onMounted(settle);
    onPatched(settle);

    const moves = {
        ArrowUp: (list, at) => (at === -1 ? list.findLast(isInView) : list[at - 1]),
        ArrowDown: (list, at) => (at === -1 ? list.findLast(isInView) : list[at + 1]),
        Home: (list) => list[0],
        End: (list) => list.at(-1),
    };

    function isInView(row) {
        return row.getBoundingClientRect().top < ref.el.getBoundingClientRect().bottom;
    }

    return {
        onKeydown(ev) {
            if (ev.ctrlKey || ev.metaKey || ev.altKey || ev.target.matches(TAKES_ARROWS)) {
                return;
            }
            if (Object.hasOwn(moves, ev.key)) {
                const list = all();
                const row = moves[ev.key](list, list.indexOf(ev.target.closest(rows)));
                row?.focus();
            } else if (Object.hasOwn(keys, ev.key)) {
                keys[ev.key](ev);
            } else {
                return;
            }
            ev.preventDefault();
            ev.stopPropagation();
        },
        onFocusin(ev) {
            const row = ev.target.closest(rows);
            if (row !== active) {
                active = row;
                settle();
            }
        },
    };
}
