import type { CloudFormationCustomResourceResponse } from 'aws-lambda';

/**
 * Puts a custom resource's answer to the pre-signed URL that CloudFormation sent. Throws where it is not taken; Lambda then
 * calls the function again. Content-Type is empty because the URL is signed without one.
 */
export async function answerDeploy(url: string, response: CloudFormationCustomResourceResponse): Promise<void> {
  const { ok, status } = await fetch(url, {
    method: 'PUT',
    headers: { 'content-type': '' },
    body: JSON.stringify(response),
  });
  if (!ok) throw new Error(`CloudFormation's answer was not taken: HTTP ${status}`);
}
