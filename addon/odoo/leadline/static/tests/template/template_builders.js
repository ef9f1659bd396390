/** Templates as the chat API gives them. */
export function template(given = {}) {
    return {
        name: "order_ready",
        language: "en_US",
        status: "APPROVED",
        category: "UTILITY",
        quality: "GREEN",
        reason: null,
        parameter_format: "positional",
        header: null,
        body: "Your order is ready.",
        footer: null,
        buttons: [],
        parameters: [],
        sendable: true,
        why: null,
        ...given,
    };
}
