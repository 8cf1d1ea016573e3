// A JSON object whose long arrays are made while it is written: a document about a million images needs no
// memory for them.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
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

/// Fields in the order in which they were first named. Only who sets a plain value needs nlohmann's whole
/// header: it doubles the time that a file takes to compile.
class JsonObject {
 public:
  JsonObject();
  ~JsonObject();
  JsonObject(const JsonObject& other);
  JsonObject(JsonObject&& other) noexcept;
  JsonObject& operator=(const JsonObject& other);
  JsonObject& operator=(JsonObject&& other) noexcept;

  nlohmann::ordered_json& operator[](std::string_view name);
  void SetRows(std::string_view name, JsonRows rows);
  /// An array of objects, which may have rows themselves.
  std::vector<JsonObject>& Objects(std::string_view name);
  /// The fields of another one, behind those that are here; those of the same name take their places.
  void Append(JsonObject other);

  size_t size() const;
  /// Leaves the first so many fields.
  void Truncate(size_t size);

  /// As JsonText writes a document: two spaces of indentation, a newline at the end.
  Status Write(const TextSink& put) const;
  /// In one line, the newline at its end included.
  Status WriteLine(const TextSink& put) const;

 private:
  class Array;
  struct Field;

  Field& FieldOf(std::string_view name);
  template <typename T>
  T& ValueOf(std::string_view name);
  Status Write(const TextSink& put, size_t depth) const;

  std::vector<Field> fields_;
};

}  // namespace imgmill
