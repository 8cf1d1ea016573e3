// The gate in front of libvips: its error buffer is one for the whole process, so messages of parallel
// failures mix; whoever fails repeats the call alone to get its own.
#include "vips_session.h"

#include <algorithm>
#include <cctype>
#include <condition_variable>
#include <mutex>
#include <string_view>

namespace imgmill {
namespace {

struct Gate {
  std::mutex mutex;
  std::condition_variable changed;
  int inside = 0;         // shares held
  int waiting_alone = 0;  // threads that want to be alone: new shares wait for them
  bool alone_taken = false;
};

Gate& TheGate() {
  static Gate* gate = new Gate;  // never destroyed: threads of libvips may outlive static destruction
  return *gate;
}

thread_local int held_shares = 0;
thread_local int alone_depth = 0;

void Enter(Gate& gate, bool first_of_thread) {
  std::unique_lock lock(gate.mutex);
  // A thread inside already must not wait for one that waits for it to leave.
  if (first_of_thread) {
    gate.changed.wait(lock, [&] { return !gate.alone_taken && gate.waiting_alone == 0; });
  }
  ++gate.inside;
}

void Leave(Gate& gate, int shares) {
  {
    std::lock_guard lock(gate.mutex);
    gate.inside -= shares;
  }
  gate.changed.notify_all();
}

bool Contains(const std::string& text, std::initializer_list<std::string_view> words) {
  std::string lower = text;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

Code CodeFor(const std::string& text) {
  if (Contains(text, {"out of memory", "unable to allocate", "malloc failed"})) return Code::kOutOfMemory;
  if (Contains(text, {"no space left", "disk quota", "file too large"})) return Code::kDiskFull;
  if (Contains(text, {"truncat", "end of stream", "end of file", "premature", "unexpected eof", "not enough",
                      "short read", "read error", "unexpected end", "input too small"})) {
    return Code::kTruncated;
  }
  if (Contains(text, {"unsupported", "not supported", "unimplemented", "not implemented", "unable to support",
                      "unknown compression", "not a known", "not configured"})) {
    return Code::kUnsupported;
  }
  return Code::kMalformed;
}

}  // namespace

std::vector<uint8_t> BlobOf(VipsImage* image, const char* name) {
  const void* data = nullptr;
  size_t bytes = 0;
  if (vips_image_get_typeof(image, name) == 0 || vips_image_get_blob(image, name, &data, &bytes) != 0)
    return {};
  const auto* begin = static_cast<const uint8_t*>(data);
  return {begin, begin + bytes};
}

VipsShared::VipsShared() {
  if (alone_depth == 0) Enter(TheGate(), held_shares == 0);
  ++held_shares;
}

VipsShared::~VipsShared() {
  --held_shares;
  if (alone_depth == 0) Leave(TheGate(), 1);
}

VipsAlone::VipsAlone() : laid_down_(0) {
  if (alone_depth++ > 0) return;
  Gate& gate = TheGate();
  laid_down_ = held_shares;
  std::unique_lock lock(gate.mutex);
  gate.inside -= laid_down_;
  ++gate.waiting_alone;
  gate.changed.notify_all();
  gate.changed.wait(lock, [&] { return gate.inside == 0 && !gate.alone_taken; });
  --gate.waiting_alone;
  gate.alone_taken = true;
}

VipsAlone::~VipsAlone() {
  if (--alone_depth > 0) return;
  Gate& gate = TheGate();
  {
    std::lock_guard lock(gate.mutex);
    gate.alone_taken = false;
    gate.inside += laid_down_;
  }
  gate.changed.notify_all();
}

void EnterVipsUnowned() {
  Enter(TheGate(), true);
}
void LeaveVipsUnowned() {
  Leave(TheGate(), 1);
}

void MeetVipsThreads() {
  static auto* mutex = new std::mutex;
  std::lock_guard lock(*mutex);
}

Error TakeVipsError(Stage stage, const std::string& otherwise) {
  std::string text = vips_error_buffer();
  vips_error_clear();
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.pop_back();
  // A chain of messages: the first names the cause; two lines are as much as a person reads.
  std::string brief;
  size_t from = 0;
  for (int line = 0; line < 2 && from < text.size(); ++line) {
    const size_t to = std::min(text.find('\n', from), text.size());
    if (!brief.empty()) brief += "; ";
    brief += text.substr(from, to - from);
    from = to + 1;
  }
  for (char& c : brief) {
    if (std::iscntrl(static_cast<unsigned char>(c))) c = ' ';
  }
  const Code code = CodeFor(text);
  if (brief.empty()) brief = otherwise;
  return {stage, code, brief};
}

Error DiagnoseAlone(Stage stage, const std::string& what, const std::function<bool()>& attempt) {
  VipsAlone alone;
  vips_error_clear();
  if (attempt()) {
    vips_error_clear();
    return {stage, Code::kReadError, what + " (it worked when tried again: did the file change meanwhile?)"};
  }
  return TakeVipsError(stage, what);
}

}  // namespace imgmill
