/**
 * What the service says to agents, in their language. It speaks English alone; a sentence of its that is not
 * written down here is shown as it came.
 */
import { _t } from "@web/core/l10n/translation";
import { momentOf } from "./window";

/** By these, translators find the sentences; they are looked up by their English. */
export const SENTENCES = [
    // About a message that was not sent, and about a line.
    _t("WhatsApp is busy; the message is tried again by itself."),
    _t("Too many messages to this customer at once; the rest follow by themselves."),
    _t("The number is being upgraded by WhatsApp; the message is tried again by itself."),
    _t("The number was just removed; the message is tried again by itself."),
    _t("The template is still being prepared; the message is tried again by itself."),
    _t("WhatsApp did not say whether it took the message."),
    _t("More than 24 hours have passed since the customer last wrote: only a template can be sent."),
    _t("The customer can't receive this: not on WhatsApp, an old app, or terms not accepted."),
    _t("The customer has opted out of marketing messages."),
    _t("WhatsApp limits marketing to this customer; try again in 24 hours at the earliest."),
    _t("WhatsApp withholds marketing from this customer as part of an experiment."),
    _t("You have blocked this customer."),
    _t("Sender and recipient are the same number."),
    _t("This is a test number: the recipient must be on its list in Meta's console."),
    _t("This template can't be sent to a customer whose number is hidden."),
    _t("Marketing messages are not allowed for this customer."),
    _t("This business may not write to customers in that country."),
    _t("The customer's identity has changed; confirm it before sending."),
    _t("The template was given the wrong number of values."),
    _t("The template does not exist in this language, or is not approved."),
    _t("The filled-in template is too long."),
    _t("The template breaks WhatsApp's policy."),
    _t("A value does not fit the template."),
    _t("A value does not have the form the template wants."),
    _t("The template is paused because of its quality."),
    _t("The template was paused too often and is disabled."),
    _t("The template's flow is blocked."),
    _t("The template's flow is throttled."),
    _t("The template can't be used for marketing messages."),
    _t("This line may not send just now: its access to WhatsApp needs an admin."),
    _t("This number no longer exists at WhatsApp."),
    _t("The line's access token has expired or was withdrawn; an admin must renew it."),
    _t("WhatsApp has restricted this business's account; an admin must look at it in Meta's account quality page."),
    _t("The number's display name must be approved before it can send."),
    _t("WhatsApp stopped sending because of the payment method; an admin must mend it."),
    _t("WhatsApp stopped because of the payment method; an admin must mend it."),
    _t("This number is not registered for sending; an admin must register it."),
    _t("WhatsApp limits this number because messages were reported as spam."),
    _t("WhatsApp limits this business because templates were in the wrong category."),
    _t("The number's two-step PIN is wrong; an admin must set it."),
    _t("Too many wrong two-step PINs; an admin must wait and try again."),
    _t("Two-step PINs were entered too fast; an admin must wait and try again."),
    _t("The number was registered too often; WhatsApp blocks it for 72 hours."),
    _t("WhatsApp refused the form of this message. Please report it to your admin."),
    _t("WhatsApp does not support this type of message."),
    _t("WhatsApp does not take this file: its type or encoding is not supported."),
    _t("The customer's file could not be fetched, or is over 100 MB."),
    _t("The message is not available here; open it on the phone."),
    _t("The phone app's earlier chats can't be brought over."),
    _t("The owner of the phone app did not share its earlier chats."),
    _t("WhatsApp refused the message."),
    _t("WhatsApp can't be reached; the message is tried again by itself."),
    _t("The line's access token can't be opened on this server; an admin must enter it again."),
    _t("The customer said STOP: nothing is sent automatically."),
    _t("No number of this customer is known."),
    _t("The message that this reacts to is not known to WhatsApp."),
    _t("This message can't be sent. Please report it to your admin."),
    _t("The file is no longer there. Please attach it again."),
    // About a file.
    _t("WhatsApp did not give the file for too long. Try again, or ask the customer to send it once more."),
    _t("The file arrived empty."),
    _t("The file arrived damaged."),
    _t("The file is over 100 MB."),
    _t("The file is not here, or not yet."),
    _t("Only a file that came through WhatsApp can be fetched from there."),
    _t("The file has not been uploaded yet."),
    // About a template.
    _t("WhatsApp is still reviewing this template."),
    _t("WhatsApp is reviewing this template again."),
    _t("WhatsApp has rejected this template."),
    _t("WhatsApp has paused this template because customers reacted badly to it."),
    _t("WhatsApp has disabled this template."),
    _t("The account has too many templates; this one waits for room."),
    _t("This template is archived in WhatsApp Manager."),
    _t("This template is being deleted."),
    _t("This template was deleted."),
    _t("It carries one-time codes, which a program must make and send."),
    _t("A carousel needs a file and values for each card, which can't be given here."),
    _t("An offer with an end needs a time, which can't be given here."),
    _t("Its button opens a form, whose answers can't be received here."),
    _t("Its button opens a catalogue, which can't be chosen here."),
    _t("Its button shows products of a catalogue, which can't be chosen here."),
    _t("Its button shows a product of a catalogue, which can't be chosen here."),
    _t("A header with a GIF can only be sent through WhatsApp's marketing API."),
    _t("No template of this name and language is known here. WhatsApp is asked for it now."),
    // What it refuses.
    _t("The customer wants no marketing: only other templates can be sent."),
    _t("The customer has not agreed to marketing. Record their consent on the contact, then send it."),
    _t("What became of this message is known by now, or a colleague settled it."),
    _t("This can't be kept: it is too large, or holds a number beyond bounds."),
    _t("There is no such thing here, or it belongs to somebody else."),
];

/** What the service refuses with a time in it: told in the agent's own time. */
const WITH_A_TIME = {
    window_closed: ({ until }) =>
        until && _t("The 24 hours for free text ended at %s. Send a template instead.", momentOf(until)),
    too_early: ({ since }) => since && _t("Word of it may still come. You can decide from %s on.", momentOf(since)),
};

/** @param {{ code?: string, title?: string, detail?: string }} problem of the service's, with what else it says */
export function problemInOurWords(problem) {
    return WITH_A_TIME[problem.code]?.(problem) || inOurWords(problem.detail || problem.title);
}

/** @param {string} [sentence] of the service's */
export function inOurWords(sentence) {
    return sentence ? _t(sentence) : "";
}
