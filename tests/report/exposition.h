// Reads Prometheus's text exposition format 0.0.4 as its documentation describes it, and refuses what it
// forbids: the oracle of what we write.
#pragma once

#include <cstdlib>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <string>

namespace imgmill::exposition {

/// Samples by "name{label="value",...}", labels sorted, values unescaped; or what is wrong with the text.
struct Exposition {
  std::map<std::string, double> samples;
  std::string wrong;
};

/// {a="x",b="y"} from `at` on. @return where it ends; nothing if it breaks the rules
inline std::optional<size_t> ReadLabels(const std::string& line, size_t at,
                                        std::map<std::string, std::string>& labels) {
  static const std::regex kName("[a-zA-Z_][a-zA-Z0-9_]*");
  ++at;
  while (at < line.size() && line[at] != '}') {
    const size_t equals = line.find('=', at);
    if (equals == std::string::npos || equals + 1 >= line.size() || line[equals + 1] != '"') return {};
    const std::string name = line.substr(at, equals - at);
    if (!std::regex_match(name, kName) || labels.contains(name)) return {};
    std::string value;
    for (at = equals + 2; at < line.size() && line[at] != '"'; ++at) {
      if (line[at] != '\\') {
        value += line[at];
        continue;
      }
      const char escaped = ++at < line.size() ? line[at] : ' ';
      if (escaped != '\\' && escaped != '"' && escaped != 'n') return {};
      value += escaped == 'n' ? '\n' : escaped;
    }
    if (at >= line.size()) return {};
    labels[name] = value;
    if (++at < line.size() && line[at] == ',') ++at;
  }
  if (at >= line.size()) return {};
  return at + 1;
}

inline Exposition Read(const std::string& text) {
  static const std::regex kMetricName("[a-zA-Z_:][a-zA-Z0-9_:]*");
  static const std::regex kHead("# (HELP|TYPE) ([^ ]+) (.+)");
  static const std::set<std::string> kTypes = {"counter", "gauge", "histogram", "summary", "untyped"};
  Exposition read;
  const auto fail = [&read](const std::string& line, const std::string& why) {
    read.wrong = why + ": " + line;
    return read;
  };
  if (text.empty() || text.back() != '\n') return fail("", "the last line must end with a line feed");
  std::set<std::string> helped, typed, begun, closed;
  std::string family;  // whose lines are being read
  const auto enter = [&](const std::string& name) {
    if (name == family) return true;
    if (!family.empty()) closed.insert(family);
    family = name;
    return !closed.contains(name);
  };
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    if (line.empty()) continue;
    std::smatch parts;
    if (line[0] == '#') {
      if (!std::regex_match(line, parts, kHead)) return fail(line, "neither HELP nor TYPE with a text");
      const std::string name = parts[2];
      if (!std::regex_match(name, kMetricName)) return fail(line, "no metric name");
      if (!enter(name)) return fail(line, "the family's lines do not stand together");
      if (begun.contains(name)) return fail(line, "stands after a sample");
      if (!(parts[1] == "HELP" ? helped : typed).insert(name).second) return fail(line, "stands here twice");
      if (parts[1] == "TYPE" && !kTypes.contains(parts[3])) return fail(line, "no such type");
      continue;
    }
    const size_t name_end = line.find_first_of("{ ");
    const std::string name = line.substr(0, name_end);
    if (!std::regex_match(name, kMetricName)) return fail(line, "no metric name");
    if (!enter(name)) return fail(line, "the family's lines do not stand together");
    if (!helped.contains(name)) return fail(line, "no HELP before it");
    if (!typed.contains(name)) return fail(line, "no TYPE before it");
    begun.insert(name);
    std::map<std::string, std::string> labels;
    size_t at = name_end;
    if (at != std::string::npos && line[at] == '{') {
      const auto end = ReadLabels(line, at, labels);
      if (!end) return fail(line, "its labels cannot be read");
      at = *end;
    }
    if (at >= line.size() || line[at] != ' ') return fail(line, "no value");
    const std::string number = line.substr(at + 1);
    char* end = nullptr;
    const double value = std::strtod(number.c_str(), &end);
    if (number.empty() || *end != '\0') return fail(line, "its value is no number");
    std::string key = name + "{";
    for (const auto& [label, text_of] : labels)
      key += (key.back() == '{' ? "" : ",") + label + "=\"" + text_of + "\"";
    if (!read.samples.emplace(key + "}", value).second) return fail(line, "the same sample twice");
  }
  return read;
}

}  // namespace imgmill::exposition
