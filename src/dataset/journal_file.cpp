// Lines are appended in pieces, and read once: then only where they begin is remembered.
#include "dataset/journal_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/path_parts.h"
#include "base/try.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

constexpr std::string_view kFirstLine = "imgmill-undo\t1";
constexpr size_t kPendingBytes = size_t{64} << 10;

/// Taken for as long as the file is open.
Status Lock(const UniqueFd& file) {
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return {};
  if (errno == EWOULDBLOCK)
    return Error{Stage::kAct, Code::kLocked, "another process is working on this undo file"};
  return ErrnoError(Stage::kAct, errno, "lock the undo file");
}

/// A file with nothing in it, such as a disk that was full has left, is as good as none.
bool TakeEmpty(const std::string& path, UniqueFd& file) {
  file = UniqueFd(::open(path.c_str(), O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW));
  struct stat info {};
  return file.valid() && Lock(file) && ::fstat(file.get(), &info) == 0 && S_ISREG(info.st_mode) &&
         info.st_size == 0;
}

}  // namespace

Error JournalFile::Malformed(const std::string& why) const {
  return Error{Stage::kAct, Code::kMalformed,
               PrintablePath(path_) + " is not an undo file that this imgmill can read: " + why};
}

Result<JournalFile> JournalFile::Create(const std::string& path, const std::string& command,
                                        const std::string& record) {
  JournalFile journal;
  journal.path_ = path;
  journal.command_ = command;
  journal.record_ = record;
  TRY(MakeFolders(ParentOf(path)));
  journal.file_ = UniqueFd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666));
  if (!journal.file_.valid() && errno == EEXIST && !TakeEmpty(path, journal.file_)) {
    return Error{Stage::kAct, Code::kConflict,
                 "the undo file " + PrintablePath(path) + " exists already (name another)"};
  }
  if (!journal.file_.valid())
    return ErrnoError(Stage::kAct, errno, "create the undo file " + PrintablePath(path));
  TRY(Lock(journal.file_));
  TRY(journal.Add(std::string(kFirstLine) + "\t" + PrintablePath(command) +
                  (record.empty() ? "" : "\t" + PrintablePath(record))));
  return journal;
}

Result<JournalFile> JournalFile::Open(const std::string& path) {
  JournalFile journal;
  journal.path_ = path;
  journal.file_ = UniqueFd(::open(path.c_str(), O_RDWR | O_APPEND | O_CLOEXEC));
  if (!journal.file_.valid())
    return ErrnoError(Stage::kAct, errno, "the undo file " + PrintablePath(path) + " cannot be opened");
  TRY(Lock(journal.file_));
  TRY(journal.ReadAll());
  return journal;
}

Status JournalFile::ReadAll() {
  std::string text;
  std::string piece(kPendingBytes, '\0');
  uint64_t at = 0;  // of the text's first byte
  bool first = true;
  while (true) {
    const ssize_t got = ReadFull(file_.get(), piece.data(), piece.size());
    if (got < 0) return ErrnoError(Stage::kAct, errno, "read the undo file " + PrintablePath(path_));
    text.append(piece, 0, static_cast<size_t>(got));
    size_t used = 0;
    for (size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', used)) {
      const std::string_view line = std::string_view(text).substr(used, end - used);
      if (first) TRY(TakeFirst(line));
      if (!first && !Take(line, at + used)) return Malformed("line at byte " + std::to_string(at + used));
      first = false;
      used = end + 1;
    }
    text.erase(0, used);
    at += used;
    if (static_cast<size_t>(got) < piece.size()) break;
    if (first && text.size() > kPendingBytes) return Malformed("its first line does not end");
  }
  if (first) return Malformed("it has no first line");
  // What a kill cut off says nothing: the next line must not be joined to it.
  if (!text.empty() && ::ftruncate(file_.get(), static_cast<off_t>(at)) != 0) {
    return ErrnoError(Stage::kAct, errno, "write the undo file " + PrintablePath(path_));
  }
  size_ = at;
  return {};
}

Result<std::string> JournalFile::CommandOf(const std::string& path) {
  JournalFile journal;
  journal.path_ = path;
  journal.file_ = UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (!journal.file_.valid() || ::fstat(journal.file_.get(), &info) != 0)
    return ErrnoError(Stage::kAct, errno, "the undo file " + PrintablePath(path) + " cannot be opened");
  journal.size_ = static_cast<uint64_t>(info.st_size);
  const std::string line = TRY(journal.LineAt(0));
  TRY(journal.TakeFirst(line));
  return journal.command_;
}

Status JournalFile::TakeFirst(std::string_view line) {
  if (line != kFirstLine && !line.starts_with(std::string(kFirstLine) + "\t"))
    return Malformed("its first line does not say \"imgmill-undo 1\"");
  Fields fields(line);
  fields.Next();
  fields.Next();
  command_ = fields.NextPath();
  record_ = fields.NextPath();
  return {};
}

bool JournalFile::Take(std::string_view line, uint64_t at) {
  Fields fields(line);
  const std::string_view word = fields.Next();
  uint64_t id = 0;
  if (!Parse(fields.Next(), id)) return false;
  if (word == "sealed") return sealed_ = id == entries_.size();
  if (word == "ended") return ended_ = id == entries_.size();
  if (word == "plan") {
    FileAction action;
    if (id != entries_.size() || !ParseAction(line, action)) return false;
    if (action.sidecar && entries_.empty()) return false;
    entries_.push_back({at, 0, State::kPlanned, action.sidecar});
    Unseal();  // a later run went on with the file
    return true;
  }
  if (word == "made") {
    made_.push_back(fields.NextPath());
    return id + 1 == made_.size() && !made_.back().empty();
  }
  if (id >= entries_.size()) return false;
  Entry& entry = entries_[id];
  if (word == "start") {
    ActionStart start;
    if (!ParseStart(line, start)) return false;
    entry.start_at = at;
    entry.state = State::kStarted;
  } else if (word == "led") {
    led_[id] = fields.NextPath();
  } else if (word == "done") {
    entry.state = State::kDone;
  } else if (word == "failed") {
    entry.state = State::kFailed;
  } else if (word == "undone") {
    entry.state = State::kUndone;
  } else {
    return false;
  }
  return true;
}

Result<std::string> JournalFile::LineAt(uint64_t at) const {
  std::string line;
  char piece[4096];
  const uint64_t on_disk = size_ - pending_.size();
  if (at >= on_disk) {
    const size_t from = static_cast<size_t>(at - on_disk);
    return pending_.substr(from, pending_.find('\n', from) - from);
  }
  while (true) {
    const ssize_t got = ::pread(file_.get(), piece, sizeof(piece), static_cast<off_t>(at + line.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0)
      return ErrnoError(Stage::kAct, got < 0 ? errno : EIO, "read the undo file " + PrintablePath(path_));
    const std::string_view read(piece, static_cast<size_t>(got));
    const size_t end = read.find('\n');
    line += read.substr(0, end);
    if (end != std::string_view::npos) return line;
  }
}

Result<FileAction> JournalFile::ActionAt(size_t id) const {
  std::string line = TRY(LineAt(entries_[id].plan_at));
  FileAction action;
  if (!ParseAction(line, action)) return Malformed("action " + std::to_string(id));
  action.number = id;
  return action;
}

Result<std::optional<ActionStart>> JournalFile::StartAt(size_t id) const {
  if (entries_[id].start_at == 0) return std::optional<ActionStart>();
  std::string line = TRY(LineAt(entries_[id].start_at));
  ActionStart start;
  if (!ParseStart(line, start)) return Malformed("start of action " + std::to_string(id));
  if (const auto led = led_.find(id); led != led_.end()) start.led = led->second;
  return std::optional<ActionStart>(std::move(start));
}

Status JournalFile::Add(const std::string& line) {
  pending_ += line;
  pending_ += '\n';
  size_ += line.size() + 1;
  return pending_.size() < kPendingBytes ? Status{} : Write();
}

Status JournalFile::Write() {
  if (pending_.empty()) return {};
  const uint64_t before = size_ - pending_.size();
  if (!WriteFull(file_.get(), pending_.data(), pending_.size())) {
    const Error error = ErrnoError(Stage::kAct, errno, "write the undo file " + PrintablePath(path_));
    // Half a line would garble the next one; if even this fails, reading stops at it and says so.
    if (::ftruncate(file_.get(), static_cast<off_t>(before)) != 0) return error;
    return error;
  }
  pending_.clear();
  return {};
}

Status JournalFile::Sync() {
  TRY(Write());
  if (::fdatasync(file_.get()) != 0)
    return ErrnoError(Stage::kAct, errno, "sync the undo file " + PrintablePath(path_));
  return {};
}

Status JournalFile::AddMissing(const std::string& path) {
  std::vector<std::string> missing;
  for (std::string each = path; !Exists(each) && ParentOf(each) != each; each = ParentOf(each))
    missing.push_back(each);
  for (auto each = missing.rbegin(); each != missing.rend(); ++each) {
    if (std::find(made_.rbegin(), made_.rend(), *each) != made_.rend()) continue;
    TRY(Add("made\t" + std::to_string(made_.size()) + "\t" + PrintablePath(*each)));
    made_.push_back(*each);
  }
  return {};
}

Status JournalFile::AddPlan(const FileAction& action) {
  entries_.push_back({size_, 0, State::kPlanned, action.sidecar});
  return Add(PlanLine(entries_.size() - 1, action));
}

Status JournalFile::Seal() {
  if (!sealed_) {
    TRY(Add("sealed\t" + std::to_string(entries_.size())));
    sealed_ = true;
  }
  TRY(Sync());
  return SyncFolder(ParentOf(path_));
}

Status JournalFile::AddEnded() {
  ended_ = true;
  return Add("ended\t" + std::to_string(entries_.size()));
}

Status JournalFile::AddStart(size_t id, const ActionStart& start) {
  entries_[id].start_at = size_;
  entries_[id].state = State::kStarted;
  return Add(StartLine(id, start));
}

Status JournalFile::AddLed(size_t id, const std::string& text) {
  led_[id] = text;
  return Add("led\t" + std::to_string(id) + "\t" + PrintablePath(text));
}

Status JournalFile::AddState(size_t id, const char* word, State state, const std::string& rest) {
  entries_[id].state = state;
  return Add(std::string(word) + "\t" + std::to_string(id) + rest);
}

Status JournalFile::AddFailed(size_t id, const Error& error) {
  return AddState(id, "failed", State::kFailed,
                  "\t" + std::string(ToString(error.code)) + "\t" + PrintablePath(error.message));
}

}  // namespace imgmill
