// Writes fields and elements one by one, each as nlohmann's dump() writes it.
#include "imgmill/report/json_object.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <variant>

#include "base/try.h"

namespace imgmill {
namespace {

constexpr size_t kIndent = 2;

/// "\n" and the spaces of a line that deep.
std::string Line(size_t depth) {
  std::string line(1 + depth * kIndent, ' ');
  line[0] = '\n';
  return line;
}

/// A value whose first line is that deep. Newlines are between values only: in strings they are escaped.
std::string Text(const nlohmann::ordered_json& value, size_t depth) {
  const std::string text = value.dump(kIndent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  if (depth == 0 || text.find('\n') == std::string::npos) return text;
  std::string indented;
  for (const char c : text) {
    if (c == '\n') {
      indented += Line(depth);
    } else {
      indented += c;
    }
  }
  return indented;
}

/// Without newlines, which are between values only, and the indentation behind them.
std::string InOneLine(std::string_view text) {
  std::string line;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\n') {
      line += text[i];
      continue;
    }
    if (line.ends_with(',')) line += ' ';
    while (i + 1 < text.size() && text[i + 1] == ' ') ++i;
  }
  return line;
}

}  // namespace

/// Puts the commas and lines between elements.
class JsonObject::Array final : public JsonElements {
 public:
  Array(const TextSink& put, size_t depth) : put_(put), depth_(depth) {}
  Status Put(const nlohmann::ordered_json& element) override {
    TRY(Begin());
    return put_(Text(element, depth_ + 1));
  }
  Status Put(const JsonObject& element) override {
    TRY(Begin());
    return element.Write(put_, depth_ + 1);
  }
  Status Close() { return put_(any_ ? Line(depth_) + "]" : "[]"); }

 private:
  Status Begin() { return put_((std::exchange(any_, true) ? "," : "[") + Line(depth_ + 1)); }

  const TextSink& put_;
  const size_t depth_;
  bool any_ = false;
};

struct JsonObject::Field {
  std::string name;
  std::variant<nlohmann::ordered_json, JsonRows, std::vector<JsonObject>> value;
};

JsonObject::JsonObject() = default;
JsonObject::~JsonObject() = default;
JsonObject::JsonObject(const JsonObject& other) = default;
JsonObject::JsonObject(JsonObject&& other) noexcept = default;
JsonObject& JsonObject::operator=(const JsonObject& other) = default;
JsonObject& JsonObject::operator=(JsonObject&& other) noexcept = default;

size_t JsonObject::size() const {
  return fields_.size();
}

void JsonObject::Truncate(size_t size) {
  fields_.resize(size);
}

JsonObject::Field& JsonObject::FieldOf(std::string_view name) {
  const auto found =
      std::find_if(fields_.begin(), fields_.end(), [&](const Field& field) { return field.name == name; });
  return found != fields_.end() ? *found : fields_.emplace_back(Field{std::string(name), {}});
}

template <typename T>
T& JsonObject::ValueOf(std::string_view name) {
  auto& value = FieldOf(name).value;
  return std::holds_alternative<T>(value) ? std::get<T>(value) : value.emplace<T>();
}

nlohmann::ordered_json& JsonObject::operator[](std::string_view name) {
  return ValueOf<nlohmann::ordered_json>(name);
}

void JsonObject::SetRows(std::string_view name, JsonRows rows) {
  FieldOf(name).value = std::move(rows);
}

std::vector<JsonObject>& JsonObject::Objects(std::string_view name) {
  return ValueOf<std::vector<JsonObject>>(name);
}

void JsonObject::Append(JsonObject other) {
  for (Field& field : other.fields_) FieldOf(field.name).value = std::move(field.value);
}

Status JsonObject::Write(const TextSink& put) const {
  TRY(Write(put, 0));
  return put("\n");
}

Status JsonObject::WriteLine(const TextSink& put) const {
  const TextSink put_in_line = [&](std::string_view piece) { return put(InOneLine(piece)); };
  TRY(Write(put_in_line, 0));
  return put("\n");
}

Status JsonObject::Write(const TextSink& put, size_t depth) const {
  if (fields_.empty()) return put("{}");
  bool first = true;
  for (const auto& [name, value] : fields_) {
    const std::string begin = std::exchange(first, false) ? "{" : ",";
    TRY(put(begin + Line(depth + 1) + nlohmann::json(name).dump() + ": "));
    Status written;
    Array array(put, depth + 1);
    if (const auto* plain = std::get_if<nlohmann::ordered_json>(&value)) {
      written = put(Text(*plain, depth + 1));
    } else if (const auto* rows = std::get_if<JsonRows>(&value)) {
      written = (*rows)(array);
      if (written) written = array.Close();
    } else {
      const auto& objects = std::get<std::vector<JsonObject>>(value);
      for (size_t i = 0; i < objects.size() && written; ++i) written = array.Put(objects[i]);
      if (written) written = array.Close();
    }
    if (!written) return written;
  }
  return put(Line(depth) + "}");
}

}  // namespace imgmill
