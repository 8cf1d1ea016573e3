// A queue of tiles, taken from its front by whoever is free.
#include "tile_writer.h"

#include <unistd.h>

#include <algorithm>
#include <limits>
#include <new>

#include "base/try.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

/// @param tools  gives those for a side by its number
template <typename Files, typename ToolsOf>
Status WriteFiles(Files& files, const TilePlace& place, const std::vector<TileSide*>& sides,
                  const ToolsOf& tools) {
  for (size_t i = 0; i < sides.size(); ++i) {
    const std::span<const uint8_t> bytes = TRY(sides[i]->Encode(place, tools(i)));
    files[i].size = static_cast<int64_t>(bytes.size());
    files[i].digest = DigestOfBytes(bytes.data(), bytes.size());
    TRY(WriteNewFile(files[i].temporary, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
  }
  return {};
}

}  // namespace

TileWriter::TileWriter(OutputSet& set, std::vector<TileSide*> sides, int helpers)
    : set_(set), sides_(std::move(sides)), helpers_(helpers), more_tools_(helpers) {
  WorkCrew::Get().Join();
}

TileWriter::~TileWriter() {
  {
    const std::lock_guard lock(mutex_);
    no_more_ = true;
  }
  WorkCrew::Get().Leave(*this);
}

Status TileWriter::Begin(Tile& tile) {
  for (const TileSide* side : sides_) {
    File file;
    file.name = side->NameOf(tile.place);
    std::string temporary = TRY(set_.Begin(file.name));
    file.temporary = std::move(temporary);
    tile.files.push_back(std::move(file));
  }
  return {};
}

Status TileWriter::Add(const TilePlace& place) {
  Tile tile;
  tile.place = place;
  if (const Status begun = Begin(tile); !begun) {
    TRY(Finish());  // what went wrong before is told
    return begun;
  }
  std::unique_lock lock(mutex_);
  tiles_.push_back(std::move(tile));
  lock.unlock();
  if (helpers_ == 0) return Finish();
  CallForHelp();
  return {};
}

void TileWriter::Remove(const TilePlace& place) {
  {
    std::unique_lock lock(mutex_);
    const auto held = std::ranges::find_if(tiles_, [&](const Tile& tile) { return tile.place == place; });
    if (held != tiles_.end()) {
      changed_.wait(lock, [&] { return held->state != State::kInWork; });
      held->state = State::kDone;
      held->files.clear();
    }
  }
  for (const TileSide* side : sides_) set_.Remove(side->NameOf(place));
}

Status TileWriter::MakeRoom(const TileSide& side, int64_t rows) {
  if (helpers_ == 0) return {};
  return WriteAbove(side.band().KeptFrom(rows) * side.scale());
}

Status TileWriter::Finish() {
  return WriteAbove(std::numeric_limits<int64_t>::max());
}

/// Tiles are begun from the front, so that all before one that fails are made.
Status TileWriter::WriteAbove(int64_t y) {
  std::unique_lock lock(mutex_);
  while (true) {
    TRY(TakeWritten());
    if (tiles_.empty() || tiles_.front().place.y >= y) return {};
    if (Tile* waiting = FirstWaiting()) {
      WriteOwn(lock, *waiting);
    } else {
      changed_.wait(lock);
    }
  }
}

Status TileWriter::TakeWritten() {
  for (; !tiles_.empty() && tiles_.front().state == State::kDone; tiles_.pop_front()) {
    const Tile& tile = tiles_.front();
    if (tile.thrown) std::rethrow_exception(tile.thrown);
    if (tile.error) return *tile.error;
    for (const File& file : tile.files) set_.End(file.name, file.size, file.digest);
  }
  return {};
}

TileWriter::Tile* TileWriter::FirstWaiting() {
  const auto first =
      std::ranges::find_if(tiles_, [](const Tile& tile) { return tile.state == State::kWaits; });
  return first != tiles_.end() ? &*first : nullptr;
}

void TileWriter::WriteOwn(std::unique_lock<std::mutex>& lock, Tile& tile) {
  tile.state = State::kInWork;
  lock.unlock();
  Status written;
  try {
    written = WriteFiles(tile.files, tile.place, sides_,
                         [this](size_t i) -> TileTools& { return sides_[i]->own_tools(); });
  } catch (...) {  // rethrown at its turn
    tile.thrown = std::current_exception();
  }
  lock.lock();
  if (!written) tile.error = written.error();
  no_more_ = no_more_ || tile.error || tile.thrown;
  tile.state = State::kDone;
}

void TileWriter::CallForHelp() {
  {
    const std::lock_guard lock(mutex_);
    if (calls_ >= helpers_ || only_own_) return;
    ++calls_;
  }
  WorkCrew::Get().Call(*this);
}

void TileWriter::Help() {
  std::unique_lock lock(mutex_);
  --calls_;
  std::optional<Tools> tools = TakeTools(lock);
  if (!tools) return;
  bool overfull = false;
  while (!no_more_ && !only_own_ && !overfull) {
    Tile* const waiting = FirstWaiting();
    if (waiting == nullptr) break;
    WriteHelping(lock, *waiting, *tools);
    lock.unlock();
    overfull = WorkCrew::Get().IsOverfull();
    lock.lock();
  }
  free_tools_.push_back(*std::move(tools));
  lock.unlock();
  if (overfull) CallForHelp();  // later
}

/// Where memory is short, the item's own thread does it: what it needs is held already.
void TileWriter::WriteHelping(std::unique_lock<std::mutex>& lock, Tile& tile, Tools& tools) {
  tile.state = State::kInWork;
  lock.unlock();
  Status written;
  bool refused = false;
  try {
    written = WriteFiles(tile.files, tile.place, sides_, [&](size_t i) -> TileTools& { return tools[i]; });
  } catch (const std::bad_alloc&) {
    refused = true;
  } catch (...) {  // rethrown on the item's thread
    tile.thrown = std::current_exception();
  }
  refused = refused || (!written && written.error().code == Code::kOutOfMemory);
  if (refused) {  // what is there of the tile would be in the way of the one that writes it now
    for (const File& file : tile.files) ::unlink(file.temporary.c_str());
  }
  lock.lock();
  if (refused) {
    only_own_ = true;
  } else {
    if (!written) tile.error = written.error();
    no_more_ = no_more_ || tile.error || tile.thrown;
  }
  tile.state = refused ? State::kWaits : State::kDone;
  changed_.notify_all();
}

std::optional<TileWriter::Tools> TileWriter::TakeTools(std::unique_lock<std::mutex>& lock) {
  std::optional<Tools> tools;
  if (!free_tools_.empty()) {
    tools = std::move(free_tools_.back());
    free_tools_.pop_back();
    return tools;
  }
  if (more_tools_ == 0 || only_own_) return tools;
  --more_tools_;
  lock.unlock();
  tools = MakeTools();
  lock.lock();
  only_own_ = only_own_ || !tools;
  return tools;
}

std::optional<TileWriter::Tools> TileWriter::MakeTools() const {
  try {
    Tools tools;
    for (const TileSide* side : sides_) {
      Result<TileTools> made = side->MakeTools();
      if (!made) return std::nullopt;
      tools.push_back(*std::move(made));
    }
    return tools;
  } catch (const std::bad_alloc&) {
    return std::nullopt;
  }
}

}  // namespace imgmill
