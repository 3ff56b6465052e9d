/**
 * Sends each response of a Google Form to CRM Relay, new ones and edited ones, always whole.
 *
 * 1. Open the form for editing, then ⋮ > Apps Script. (In the form, not in the spreadsheet of its responses:
 *    there, Google reports an edited response with nothing but the cells that changed.)
 * 2. Paste this file over what is there and save.
 * 3. Project Settings > Script Properties: add RELAY_URL (https://your-host/webhooks/NAME, NAME being that of
 *    [sources.NAME] in relay.toml) and RELAY_TOKEN (the value of the variable that its token_env names).
 * 4. Choose the function "install" and run it once; Google asks for permission to read the form and to call
 *    an outside service. Whoever runs it gets Google's e-mail when a response could not be sent.
 * 5. Run "sendTest": the relay stores the latest response as a test and delivers it nowhere.
 */

/** Seconds to wait before each try. A run may last six minutes. */
const WAITS = [0, 2, 10, 30, 60];

/** Makes the trigger; running it again does no harm. */
function install() {
  ScriptApp.getProjectTriggers()
    .filter((trigger) => trigger.getHandlerFunction() === 'sendResponse')
    .forEach((trigger) => ScriptApp.deleteTrigger(trigger));
  ScriptApp.newTrigger('sendResponse').forForm(FormApp.getActiveForm()).onFormSubmit().create();
}

/** Called by the trigger for every response and every edit of one. */
function sendResponse(event) {
  post_(payloadOf_(event.source, event.response));
}

/** Sends the latest response, marked as a test. */
function sendTest() {
  const form = FormApp.getActiveForm();
  const responses = form.getResponses();
  if (!responses.length) throw new Error('Fill the form in once, then run this again.');
  post_(Object.assign(payloadOf_(form, responses[responses.length - 1]), {test: true}));
}

function payloadOf_(form, response) {
  const answers = {};
  response.getItemResponses().forEach((item) => {
    answersTo_(item).forEach(([title, values]) => {
      // Two questions may have the same title.
      answers[title] = (answers[title] || []).concat(values);
    });
  });
  return {
    formId: form.getId(),
    formTitle: form.getTitle(),
    responseId: response.getId(),
    timestamp: response.getTimestamp().toISOString(),
    sentAt: new Date().toISOString(),
    respondentEmail: response.getRespondentEmail() || '',
    namedValues: answers,
  };
}

/** Returns pairs of a title and its answers; a grid has a pair for each row, titled as in a spreadsheet. */
function answersTo_(itemResponse) {
  const item = itemResponse.getItem();
  const title = item.getTitle();
  const given = itemResponse.getResponse();
  switch (item.getType()) {
    case FormApp.ItemType.GRID:
      return item.asGridItem().getRows().map((row, i) => [`${title} [${row}]`, texts_(given[i])]);
    case FormApp.ItemType.CHECKBOX_GRID:
      return item.asCheckboxGridItem().getRows().map((row, i) => [`${title} [${row}]`, texts_(given[i])]);
    case FormApp.ItemType.FILE_UPLOAD:
      return [[title, texts_(given).map((id) => `https://drive.google.com/open?id=${id}`)]];
    default:
      return [[title, texts_(given)]];
  }
}

function texts_(given) {
  return [].concat(given === null || given === undefined ? [] : given).map(String);
}

/** Posts until the relay has taken it; the same body each time, so that it is taken once. */
function post_(payload) {
  const settings = PropertiesService.getScriptProperties();
  const request = {
    method: 'post',
    contentType: 'application/json',
    headers: {'X-Relay-Token': settings.getProperty('RELAY_TOKEN')},
    payload: JSON.stringify(payload),
    followRedirects: false,
    muteHttpExceptions: true,
  };
  let trouble = '';
  for (const seconds of WAITS) {
    Utilities.sleep(seconds * 1000);
    try {
      const answer = UrlFetchApp.fetch(settings.getProperty('RELAY_URL'), request);
      const status = answer.getResponseCode();
      if (status === 200) return;
      trouble = `${status} ${answer.getContentText().slice(0, 300)}`;
      if (status < 500 && status !== 429) break; // a wrong token or address does not mend itself
    } catch (error) {
      trouble = String(error);
    }
  }
  throw new Error(`The relay did not take response ${payload.responseId}: ${trouble}`);
}
