/** Stands in the composer's place while a voice note is recorded and listened to. */
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";
import { Component, onMounted, onWillUnmount, useEffect, useExternalListener, useRef, useState } from "@odoo/owl";
import { AudioPlayer, timeText } from "./audio_player";
import { NoMicrophone, VoiceNote } from "./voice_note";

export class VoiceRecorder extends Component {
    static template = "leadline.VoiceRecorder";
    static components = { AudioPlayer };
    static props = {
        /** (file) */
        onSend: Function,
        /** () thrown away, sent, or never begun */
        onClose: Function,
        /** (promise of a file) the tab is left before the agent has decided */
        onKeep: Function,
    };

    setup() {
        this.notification = useService("notification");
        this.root = useRef("root");
        this.note = new VoiceNote();
        this.recording = useState(this.note.state);
        /** Address of what was recorded, to listen to it. */
        this.state = useState({ url: null });
        onMounted(() => this.start());
        // A reload can't keep it: the browser asks.
        useExternalListener(window, "beforeunload", (ev) => ev.preventDefault());
        onWillUnmount(() => {
            if (!this.isDecided && this.recording.phase !== "starting") {
                this.props.onKeep(this.note.finish());
            } else {
                this.note.cancel();
            }
            if (this.state.url) {
                URL.revokeObjectURL(this.state.url);
            }
        });
        useEffect(
            () => {
                // The button that had the focus may be gone.
                if (!this.root.el.contains(document.activeElement)) {
                    this.root.el.querySelector(".o_leadline_voice_main")?.focus();
                }
            },
            () => [this.recording.phase, this.state.url]
        );
    }

    async start() {
        try {
            await this.note.start();
        } catch (error) {
            if (!(error instanceof NoMicrophone)) {
                throw error;
            }
            this.notification.add(error.message, { type: "warning" });
            this.close();
        }
    }

    get time() {
        return timeText(this.recording.seconds);
    }

    /** Said to who listens instead of looking. */
    get status() {
        if (this.recording.full) {
            return _t("WhatsApp takes no longer voice note");
        }
        const said = {
            starting: _t("Waiting for the microphone"),
            recording: _t("Recording"),
            paused: _t("Recording paused"),
            recorded: _t("Voice note recorded"),
        };
        return said[this.recording.phase];
    }

    get pauseLabel() {
        return this.recording.phase === "paused" ? _t("Go on recording") : _t("Pause");
    }

    onPause() {
        if (this.recording.phase === "recording") {
            this.note.pause();
        } else {
            this.note.resume();
        }
    }

    async onListen() {
        this.state.url = URL.createObjectURL(await this.note.finish());
    }

    async onSend() {
        const file = await this.note.finish();
        this.props.onSend(file);
        this.close();
    }

    close() {
        this.isDecided = true;
        this.props.onClose();
    }

    onKeydown(ev) {
        if (ev.key === "Escape") {
            ev.stopPropagation();
            this.close();
        }
    }
}
