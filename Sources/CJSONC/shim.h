// json-c: the tree parser behind the JSON module.
#pragma once
#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <json-c/linkhash.h>
