// The undo file: what its lines mean together, how they are appended and found again.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "dataset/journal_lines.h"
#include "imgmill/dataset/journal.h"

namespace imgmill {

/// An append-only text file with an index of its actions in memory.
class JournalFile {
 public:
  enum class State : uint8_t { kPlanned, kStarted, kDone, kFailed, kUndone };

  static Result<JournalFile> Create(const std::string& path, const std::string& command,
                                    const std::string& record);
  static Result<JournalFile> Open(const std::string& path);
  /// See ActionJournal::CommandOf.
  static Result<std::string> CommandOf(const std::string& path);

  size_t size() const { return entries_.size(); }
  bool sealed() const { return sealed_; }
  /// All of the plan was tried.
  bool ended() const { return ended_; }
  const std::string& command() const { return command_; }
  /// The output folder whose record tells of the actions; empty for none.
  const std::string& record() const { return record_; }
  const std::string& path() const { return path_; }
  /// More may be planned.
  void Unseal() { sealed_ = ended_ = false; }
  State state(size_t id) const { return entries_[id].state; }
  bool is_sidecar(size_t id) const { return entries_[id].sidecar; }
  Result<FileAction> ActionAt(size_t id) const;
  /// Nothing if it was never started.
  Result<std::optional<ActionStart>> StartAt(size_t id) const;

  /// Folders and files that were made for the actions' sake, or were about to be, those inside others behind
  /// them.
  const std::vector<std::string>& made() const { return made_; }

  // Lines are collected in memory until Write or Sync.
  /// The path, and folders above it, where they are not there; see ActionJournal::NoteMade.
  Status AddMissing(const std::string& path);
  Status AddPlan(const FileAction& action);
  Status Seal();
  Status AddEnded();
  Status AddStart(size_t id, const ActionStart& start);
  /// Before the link, which was moved, is given this text.
  Status AddLed(size_t id, const std::string& text);
  Status AddDone(size_t id) { return AddState(id, "done", State::kDone, ""); }
  Status AddFailed(size_t id, const Error& error);
  Status AddUndone(size_t id) { return AddState(id, "undone", State::kUndone, ""); }
  Status Write();
  /// Write, and the disk has it.
  Status Sync();

 private:
  struct Entry {
    uint64_t plan_at = 0;
    uint64_t start_at = 0;  ///< of the last start line; 0 for none
    State state = State::kPlanned;
    bool sidecar = false;
  };
  Status Add(const std::string& line);
  Status AddState(size_t id, const char* word, State state, const std::string& rest);
  Status ReadAll();
  Status TakeFirst(std::string_view line);
  bool Take(std::string_view line, uint64_t at);
  Result<std::string> LineAt(uint64_t at) const;
  Error Malformed(const std::string& why) const;

  std::string path_;
  std::string command_;
  std::string record_;
  UniqueFd file_;
  uint64_t size_ = 0;  ///< of the file, with what is pending
  std::string pending_;
  std::vector<Entry> entries_;
  std::map<size_t, std::string> led_;
  std::vector<std::string> made_;
  bool sealed_ = false;
  bool ended_ = false;
};

}  // namespace imgmill
