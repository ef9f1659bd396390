/**
 * A voice note from the microphone, as WhatsApp wants it: Ogg Opus, one channel.
 *
 * Browsers record into different containers (WebM, Ogg, MP4), so the sound is encoded here, the same way in all of
 * them, by the library in static/lib/opus-recorder.
 */
import { browser } from "@web/core/browser/browser";
import { loadJS } from "@web/core/assets";
import { _t } from "@web/core/l10n/translation";
import { reactive } from "@odoo/owl";

const LIBRARY = "/leadline/static/lib/opus-recorder/";
/** Bits per second: speech, clearly. */
const BIT_RATE = 16000;
/** The encoder's setting for speech (OPUS_APPLICATION_VOIP). */
const SPEECH = 2048;
/** In seconds: WhatsApp shows a voice note of more than 512 KB as a file to download. */
const LONGEST = 4 * 60;
/** Between two looks (ms) at how loud it is. */
const LOOK = 100;

/** The microphone can't be had. The message says why and what to do. */
export class NoMicrophone extends Error {}

export class VoiceNote {
    constructor() {
        this.state = reactive({
            /** "starting" | "recording" | "paused" | "recorded" */
            phase: "starting",
            /** Recorded so far. */
            seconds: 0,
            /** How loud it is, 0 to 1. */
            level: 0,
            /** Whether it is as long as it may be. */
            full: false,
        });
        /** @type {File|null} once it is recorded */
        this.file = null;
    }

    /** @throws {NoMicrophone} */
    async start() {
        if (!window.isSecureContext) {
            throw new NoMicrophone(
                _t("Browsers give the microphone to pages on https or localhost only. Ask your administrator for https.")
            );
        }
        await loadJS(`${LIBRARY}recorder.min.js`);
        if (!window.Recorder.isRecordingSupported()) {
            throw new NoMicrophone(_t("This browser can't record. Attach a sound file instead."));
        }
        this.recorder = new window.Recorder({
            encoderPath: `${LIBRARY}encoderWorker.min.js`,
            encoderApplication: SPEECH,
            encoderBitRate: BIT_RATE,
            numberOfChannels: 1,
            mediaTrackConstraints: { channelCount: 1, echoCancellation: true, noiseSuppression: true },
        });
        this.recorder.ondataavailable = (bytes) => (this.bytes = bytes);
        try {
            await this.recorder.start();
        } catch (error) {
            await this.recorder.close();
            throw new NoMicrophone(reasonOf(error));
        }
        if (this.cancelled) {
            await this.recorder.close();
            return;
        }
        this.listen();
        this.state.phase = "recording";
        this.lap = Date.now();
        this.timer = browser.setInterval(() => this.look(), LOOK);
    }

    /** A second ear on the microphone, to show that it hears something. */
    listen() {
        this.analyser = this.recorder.audioContext.createAnalyser();
        this.samples = new Float32Array(this.analyser.fftSize);
        this.recorder.sourceNode.connect(this.analyser);
    }

    look() {
        if (this.state.phase !== "recording") {
            return;
        }
        this.count();
        this.analyser.getFloatTimeDomainData(this.samples);
        const power = this.samples.reduce((sum, sample) => sum + sample * sample, 0) / this.samples.length;
        // Speech lies between -50 dB and -10 dB.
        const loudness = (10 * Math.log10(power + 1e-9) + 50) / 40;
        this.state.level = Math.min(Math.max(loudness, 0), 1);
        if (this.state.seconds >= LONGEST) {
            this.state.full = true;
            this.pause();
        }
    }

    count() {
        const now = Date.now();
        this.state.seconds += (now - this.lap) / 1000;
        this.lap = now;
    }

    pause() {
        this.count();
        this.recorder.pause();
        Object.assign(this.state, { phase: "paused", level: 0 });
    }

    resume() {
        this.lap = Date.now();
        this.recorder.resume();
        this.state.phase = "recording";
    }

    /** End the recording. @returns {Promise<File>} the voice note */
    async finish() {
        if (this.file) {
            return this.file;
        }
        if (this.state.phase === "recording") {
            this.count();
        }
        browser.clearInterval(this.timer);
        await this.recorder.stop();
        await this.recorder.close();
        this.file = new File([this.bytes], "voice-note.ogg", { type: "audio/ogg; codecs=opus" });
        Object.assign(this.state, { phase: "recorded", level: 0 });
        return this.file;
    }

    /** Let go of the microphone and of what was recorded. */
    cancel() {
        this.cancelled = true;
        browser.clearInterval(this.timer);
        if (["recording", "paused"].includes(this.state.phase)) {
            this.recorder.close();
        }
    }
}

/** @param {DOMException} error of getUserMedia */
function reasonOf({ name }) {
    if (name === "NotAllowedError") {
        return _t("The browser may not use the microphone. Allow it for this page and try again.");
    }
    if (name === "NotFoundError") {
        return _t("There is no microphone on this computer.");
    }
    return _t("The microphone can't be used (%s). Perhaps another program holds it.", name);
}
