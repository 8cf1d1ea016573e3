// A JSON object whose long arrays are made while it is written: a document about a million images needs no
// memory for them.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "imgmill/base/text_sink.h"

namespace imgmill {

class JsonObject;

/// Takes the next element of an array.
class JsonElements {
 public:
  virtual ~JsonElements() = default;
  virtual Status Put(const nlohmann::ordered_json& element) = 0;
  virtual Status Put(const JsonObject& element) = 0;
};

/// Puts one element after the other, as often as it is asked to.
using JsonRows = std::function<Status(JsonElements&)>;

/// Fields in the order in which they were first named.
class JsonObject {
 public:
  nlohmann::ordered_json& operator[](std::string_view name);
  void SetRows(std::string_view name, JsonRows rows);
  /// An array of objects, which may have rows themselves.
  std::vector<JsonObject>& Objects(std::string_view name);
  /// The fields of another one, behind those that are here; those of the same name take their places.
  void Append(JsonObject other);

  size_t size() const { return fields_.size(); }
  /// Leaves the first so many fields.
  void Truncate(size_t size) { fields_.resize(size); }

  /// As JsonText writes a document: two spaces of indentation, a newline at the end.
  Status Write(const TextSink& put) const;
  /// In one line, the newline at its end included.
  Status WriteLine(const TextSink& put) const;

 private:
  class Array;
  using Value = std::variant<nlohmann::ordered_json, JsonRows, std::vector<JsonObject>>;

  Value& Field(std::string_view name);
  template <typename T>
  T& FieldOf(std::string_view name);
  Status Write(const TextSink& put, size_t depth) const;

  std::vector<std::pair<std::string, Value>> fields_;
};

}  // namespace imgmill
