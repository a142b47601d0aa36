"""HTTP APIs as API Gateway has them, where MiniStack does otherwise.

- Route settings are kept in the service's spelling; CloudFormation passes a map of them through in its own.
- A preflight goes to the API's OPTIONS route where the API has no CORS configuration.
- An event of payload format 2.0 has the request's cookies in a list, and no cookie header.
- A function that fails is a 500 and one that is throttled a 503, with fixed bodies: no reason reaches a client.

"Create AWS Lambda proxy integrations for HTTP APIs", "Configure CORS for HTTP APIs", API Gateway developer guide.
"""

import json

from ministack.services import apigateway, lambda_svc

from extension.cloudformation import after, camel_case


def _refusal(status, message):
    body = json.dumps({"message": message}, separators=(",", ":"))
    return {"statusCode": status, "headers": {"Content-Type": "application/json"}, "body": body}, None



def _spell_route_settings(stage_name, properties):
    settings = properties.get("RouteSettings") or {}
    stage = apigateway._stages[properties["ApiId"]][stage_name]
    stage["routeSettings"] = {route: camel_case(setting) for route, setting in settings.items()}


def with_cookies(event):
    """An event of payload format 2.0 with its cookies where API Gateway puts them; other events as they are."""
    if not isinstance(event, dict) or event.get("version") != "2.0" or "requestContext" not in event:
        return event
    headers = {name: value for name, value in event["headers"].items() if name != "cookie"}
    cookies = [cookie.strip() for cookie in event["headers"].get("cookie", "").split(";")]
    cookies = [cookie for cookie in cookies if cookie]
    return {**event, "headers": headers, **({"cookies": cookies} if cookies else {})}


def install():
    after("AWS::ApiGatewayV2::Stage", _spell_route_settings)

    stock_execute = apigateway._handle_execute_in_scope

    async def execute(
        api_id, stage, path, method, headers, body, query_params, owner_account_id, owner_region, raw_query_string=None
    ):
        api = apigateway._apis.get(api_id)
        if method != "OPTIONS" or not api or api.get("corsConfiguration"):
            return await stock_execute(
                api_id, stage, path, method, headers, body, query_params,
                owner_account_id, owner_region, raw_query_string,
            )  # fmt: skip
        route = apigateway._match_route(api_id, method, path)
        if not route:
            return apigateway._http_api_not_found()
        route_path = route["routeKey"].partition(" ")[2]
        return await apigateway._invoke_lambda_proxy(
            apigateway._integrations[api_id][route["target"].rpartition("/")[2]],
            api_id,
            stage,
            path,
            method,
            {name.lower(): value for name, value in headers.items()},
            body,
            query_params,
            route["routeKey"],
            apigateway._extract_path_params(route_path, path) or None,
            owner_account_id=owner_account_id,
            owner_region=owner_region,
            raw_query_string=raw_query_string,
        )

    apigateway._handle_execute_in_scope = execute

    stock_run = lambda_svc._execute_function_with_config_scope

    def run(record, event, *rest, **named):
        return stock_run(record, with_cookies(event), *rest, **named)

    lambda_svc._execute_function_with_config_scope = run

    stock_answer = lambda_svc.lambda_execute_result_to_api_proxy_response

    def answer(result):
        if result.get("throttle"):
            return _refusal(503, "Service Unavailable")
        return _refusal(500, "Internal Server Error") if result.get("error") else stock_answer(result)

    lambda_svc.lambda_execute_result_to_api_proxy_response = answer
