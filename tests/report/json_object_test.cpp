// What is written piece by piece has the bytes of the whole document's dump by nlohmann::json.
#include "imgmill/report/json_object.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "imgmill/report/run_report.h"

namespace imgmill {
namespace {

std::string Text(const JsonObject& object, bool in_one_line = false) {
  std::string text;
  const TextSink put = [&](std::string_view piece) {
    text.append(piece);
    return Status();
  };
  const Status written = in_one_line ? object.WriteLine(put) : object.Write(put);
  REQUIRE(written.ok());
  return text;
}

JsonRows Rows(std::vector<nlohmann::ordered_json> rows) {
  return [rows](JsonElements& elements) -> Status {
    for (const nlohmann::ordered_json& row : rows) {
      if (Status put = elements.Put(row); !put) return put;
    }
    return {};
  };
}

}  // namespace

TEST_CASE("an object of rows and objects is written as its dump") {
  const std::vector<nlohmann::ordered_json> rows = {
      "a\nb \xff", 3.5, nullptr, nlohmann::ordered_json::array(), {{"x", {1, 2}}, {"y", {{"z", {}}}}}};
  JsonObject object;
  nlohmann::ordered_json whole = nlohmann::ordered_json::object();
  CHECK(Text(object) == JsonText(whole));
  object["first"] = whole["first"] = {{"deep", {{"deeper", {1, "two"}}}}};
  object.SetRows("rows", Rows(rows));
  whole["rows"] = rows;
  object.SetRows("none", Rows({}));
  whole["none"] = nlohmann::ordered_json::array();
  object.Objects("no objects");
  whole["no objects"] = nlohmann::ordered_json::array();
  JsonObject inner;
  inner["name \"quoted\""] = 1;
  inner.SetRows("rows", Rows(rows));
  object.Objects("objects").push_back(inner);
  object.Objects("objects").push_back({});
  whole["objects"] = {{{"name \"quoted\"", 1}, {"rows", rows}}, nlohmann::ordered_json::object()};
  object.SetRows("of objects", [&](JsonElements& elements) { return elements.Put(inner); });
  whole["of objects"] = nlohmann::ordered_json::array({whole["objects"][0]});
  object["first"]["more"] = whole["first"]["more"] = true;  // stays where it was
  JsonObject rest;
  rest["last"] = whole["last"] = "end";
  rest["none"] = whole["none"] = "replaced where it was";
  object.Append(rest);
  CHECK(Text(object) == JsonText(whole));
  const std::string line = Text(object, true);
  CHECK(line.find('\n') == line.size() - 1);
  CHECK(nlohmann::ordered_json::parse(line) == nlohmann::ordered_json::parse(JsonText(whole)));
  object.Truncate(1);
  CHECK(Text(object) == JsonText({{"first", whole["first"]}}));
}

TEST_CASE("an error of the rows or of the writing ends the document") {
  JsonObject object;
  object.SetRows("rows", Rows({1, 2, 3}));
  int pieces = 0;
  const Status full = object.Write([&](std::string_view) -> Status {
    if (++pieces == 3) return Error{Stage::kWrite, Code::kDiskFull, "full"};
    return {};
  });
  REQUIRE_FALSE(full.ok());
  CHECK(full.error().code == Code::kDiskFull);
  CHECK(pieces == 3);
}

}  // namespace imgmill
