/** A voice note or another sound, played in place: how far it is, how long it is, and how fast it goes. */
import { _t } from "@web/core/l10n/translation";
import { Component, onWillUnmount, useRef, useState } from "@odoo/owl";

const SPEEDS = [1, 1.5, 2];

/** The one that plays: who starts another wants to hear that one. */
let playing = null;

export class AudioPlayer extends Component {
    static template = "leadline.AudioPlayer";
    static props = {
        url: String,
        /** Spoken for us, not a file that somebody had. */
        voice: { type: Boolean, optional: true },
        label: String,
        /** Whether it is a voice note that was never played. */
        unheard: { type: Boolean, optional: true },
        /** () it begins to play */
        onPlay: { type: Function, optional: true },
        /** () its address works no longer */
        onError: Function,
    };

    setup() {
        this.audio = useRef("audio");
        this.state = useState({ playing: false, at: 0, length: 0, speed: 1 });
        onWillUnmount(() => this.audio.el?.pause());
    }

    get playLabel() {
        return this.state.playing ? _t("Pause") : _t("Play %s", this.props.label);
    }

    get speedLabel() {
        return _t("Speed: %s", this.speed);
    }

    get speed() {
        return `${this.state.speed.toLocaleString()}×`;
    }

    /** How far it is while it plays, else how long it is. */
    get time() {
        return timeText(this.state.at || this.state.length);
    }

    get place() {
        return _t("%(at)s of %(length)s", { at: timeText(this.state.at), length: timeText(this.state.length) });
    }

    get voiceLabel() {
        return this.props.unheard ? _t("Voice note, not played yet") : _t("Voice note");
    }

    onPlay() {
        this.state.playing = true;
        this.props.onPlay?.();
    }

    async onToggle() {
        const audio = this.audio.el;
        if (!audio.paused) {
            audio.pause();
            return;
        }
        if (playing !== audio) {
            playing?.pause();
        }
        playing = audio;
        audio.playbackRate = this.state.speed;
        try {
            await audio.play();
        } catch (error) {
            // Paused before it began, or a broken address, which `onError` hears of as well.
            if (!["AbortError", "NotSupportedError"].includes(error.name)) {
                throw error;
            }
        }
    }

    onSpeed() {
        this.state.speed = SPEEDS[(SPEEDS.indexOf(this.state.speed) + 1) % SPEEDS.length];
        this.audio.el.playbackRate = this.state.speed;
    }

    onSeek(ev) {
        this.audio.el.currentTime = Number(ev.target.value);
        this.state.at = this.audio.el.currentTime;
    }

    onTime() {
        this.state.at = this.audio.el.currentTime;
    }

    onLength() {
        const { duration } = this.audio.el;
        this.state.length = Number.isFinite(duration) ? duration : 0;
    }

    onEnded() {
        this.audio.el.currentTime = 0;
        Object.assign(this.state, { playing: false, at: 0 });
    }
}

/** @returns {string} seconds as "1:05" */
export function timeText(seconds) {
    const whole = Math.round(seconds);
    return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
