// The lines of an undo file: how an action and its start are written, and read again.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "imgmill/base/path_text.h"
#include "imgmill/dataset/journal.h"

namespace imgmill {

/// What an action's file was right before the act, and where exactly it goes.
struct ActionStart {
  std::string target;
  int64_t size = 0;
  int64_t mtime_ns = 0;
  uint32_t mode = 0;
  std::optional<ContentDigest> digest;  ///< where the keeper has the same content
  std::string link;                     ///< where the file was a symbolic link: its text
  std::string moment;                   ///< of its note in the trash; a date in files of earlier versions
  std::string led;   ///< of a link that was moved: what it was to be led by to where its file went
  bool old = false;  ///< of an earlier version, which did not write down what it led links by
  /// Of the file and its keeper when their bytes were looked at. Not written down: who resumes looks again.
  std::optional<FileStamp> looked_at;
  std::optional<FileStamp> keeper_looked_at;
  bool already = false;  ///< nothing is to be done, and this is not written down: it is as wanted
};

/// Fields of a line, between tabs; fields that are missing are empty.
class Fields {
 public:
  explicit Fields(std::string_view line) : rest_(line) {}
  std::string_view Next() {
    const size_t tab = rest_.find('\t');
    const std::string_view field = rest_.substr(0, tab);
    rest_ = tab == std::string_view::npos ? std::string_view() : rest_.substr(tab + 1);
    return field;
  }
  std::string NextPath() { return PathFromPrintable(Next()); }

 private:
  std::string_view rest_;
};

/// A field that is a number and nothing else.
template <typename Number>
bool Parse(std::string_view text, Number& value) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  return problem == std::errc() && end == text.data() + text.size();
}

/// Lines begin with a word and the number of the action. False for one that says nothing.
bool ParseAction(std::string_view line, FileAction& action);
bool ParseStart(std::string_view line, ActionStart& start);

std::string PlanLine(size_t id, const FileAction& action);
std::string StartLine(size_t id, const ActionStart& start);

}  // namespace imgmill
