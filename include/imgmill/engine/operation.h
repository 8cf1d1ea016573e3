// What a command is to the engine: an operation that maps each image region by region and hands small records
// on.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "imgmill/base/result.h"
#include "imgmill/base/stop_flag.h"
#include "imgmill/dataset/file_identity.h"
#include "imgmill/dataset/listing.h"
#include "imgmill/image/frame_source.h"
#include "imgmill/image/reader.h"
#include "imgmill/memory/memory_manager.h"

namespace imgmill {

/// One file that is read.
struct SourceFile {
  std::string path;
  std::string absolute;  ///< canonical path: the catalog's key
  bool is_link = false;  ///< `path` is a symbolic link
  FileStamp stamp;
  ContentDigest content;  ///< known from Operation::Recall on
  /// As a person sees it, in pixels; known from Operation::Recall on, also where the catalog answers and
  /// nothing is probed.
  int64_t upright_width = 0;
  int64_t upright_height = 0;
  ImageHeader header;  ///< known from Operation::Plan on
};

/// One image on its way through the engine.
struct Item {
  ListedFile file;
  SourceFile main;
  std::vector<SourceFile> partners;  ///< images worked on together with it, such as its low-resolution twins
  std::vector<SourceFile>
      sidecars;  ///< files beside it whose bytes go into its outputs; nobody looks into them

  /// Of those who have just one.
  const SourceFile& partner() const { return partners.front(); }
  /// What outputs are filed under: the content, or the digest of the contents of all its images.
  ContentDigest WorkContent() const;
};

/// A partner's error says which file it is about, since the code that prints it names only the item.
Error OfPartner(const std::string& path, Error error);

/// The same of a side-car.
Error OfSidecar(const std::string& path, Error error);

/// Calls `each`, which returns a Status, with the item's own file and then those of its partners, until one
/// fails.
template <typename AnItem, typename Each>
Status ForEachImage(AnItem& item, const Each& each) {
  if (Status own = each(item.main); !own) return own;
  for (auto& partner : item.partners) {
    if (Status told = each(partner); !told) return OfPartner(partner.path, told.error());
  }
  return {};
}

/// The same with its side-cars behind them.
template <typename AnItem, typename Each>
Status ForEachFile(AnItem& item, const Each& each) {
  if (Status images = ForEachImage(item, each); !images) return images;
  for (auto& sidecar : item.sidecars) {
    if (Status told = each(sidecar); !told) return OfSidecar(sidecar.path, told.error());
  }
  return {};
}

/// How an image is cut into regions: `rows` rows each (the last may have fewer), seen with `overlap` rows of
/// context above and below where the image has them.
struct RegionPlan {
  int64_t rows = 256;
  int64_t overlap = 0;
};

/// How one image is processed, and what that costs: determined once, from its header, and kept with the work.
struct ItemPlan {
  /// Rows as ReadLayout gives them, decoded at ReadFootprint's cost.
  ItemPlan(const ImageHeader& header, const ReadOptions& reading, const RegionPlan& regions);
  /// The image is only probed and digested.
  static ItemPlan WithoutPixels(const Footprint& work);

  bool needs_pixels = true;
  ReadOptions reading;
  Layout input;  ///< of the rows that Map sees
  /// The rows come from the operation's own Open, and no other operation reads them.
  bool own_reader = false;
  /// The rows are those of every frame of the file, one frame after the other, whose headers are to keep
  /// these limits; `input` is then the largest of them. With own_reader.
  std::optional<ImageLimits> every_frame;
  RegionPlan regions;
  Footprint decode;  ///< bytes held by the reader
  Footprint work;    ///< by the operation, from the first row to the published output

  /// All that the image holds: the two, and the rows of a region.
  Footprint total() const;

 private:
  ItemPlan() = default;
};

/// Some rows of an image, in order from the top.
struct Region {
  ImageView view;         ///< own rows and context
  int64_t first_row = 0;  ///< of the own rows, in the image
  int64_t own_rows = 0;
  int64_t context_above = 0;  ///< rows of `view` before the own ones
  bool last = false;

  ImageView own() const {
    ImageView rows = view;
    rows.data = view.row(context_above);
    rows.layout.height = own_rows;
    return rows;
  }
};

/// What an operation found out about one image; the engine only carries it.
struct Payload {
  virtual ~Payload() = default;
};

/// How many files an image will give that a next step would work on, as far as its header tells.
struct Prospect {
  std::optional<uint64_t> files = 1;  ///< nothing: that depends on the pixels
  bool at_most = false;               ///< on the pixels depends whether it is fewer
};

/// The end of one image's way: done, skipped (finished by an earlier run) or failed with its reason.
struct Outcome {
  enum class State { kDone, kSkipped, kFailed };

  ListedFile file;
  State state = State::kFailed;
  std::optional<Error> error;        ///< of a failure; of some frames only, there are outputs nevertheless
  std::vector<std::string> notes;    ///< what a user should know: "first of 12 frames"
  std::vector<std::string> outputs;  ///< paths written, or found finished
  std::optional<Prospect> prospect;  ///< of a dry run: what Operation::Rehearse says
  std::unique_ptr<Payload> payload;
  Rung rung = Rung::kNone;  ///< lowest rung of the ladder that this image needed
  size_t lease_bytes =
      0;  ///< host memory that the work on it was granted, or would be; 0 where it was recalled
  bool recalled = false;  ///< answered by the catalog alone

  /// Whether a rung changed tile, micro-batch or device for it.
  bool off_plan() const { return rung >= Rung::kHalfBatch; }
};

/// What an operation decides about an image when it has finished with it: whether the next operation gets it.
enum class Verdict { kKeep, kDrop, kAfterReduce };

/// The work on one image. Lives on one worker thread. A retry after out-of-memory starts a new one, unless
/// Suspend says that this one can continue.
class ItemTask {
 public:
  virtual ~ItemTask() = default;
  virtual Status Map(const Region& region) = 0;
  /// After out-of-memory while rows were read, or in Map: releases everything that others may be waiting for,
  /// and says whether the next attempt may continue with this task, at the region that was not finished. For
  /// tasks whose regions cost more than decoding the rows above once more.
  virtual bool Suspend() { return false; }

  // Where the plan is for every frame, Map gets the regions of each frame between BeginFrame and EndFrame.

  /// What a task says of a frame: it is left out; an earlier run has made all of it; its rows are to be read.
  enum class Wanted { kNo, kMade, kRows };
  /// Called for each frame, in order. `frames` stands at it, to be looked at first where the choice hangs on
  /// what it shows.
  virtual Result<Wanted> Wants(const Frame&, FrameSource& /*frames*/) { return Wanted::kRows; }
  /// Whether frames that are finished stay so if the others do not follow in this run, which may then be
  /// stopped between two of them.
  virtual bool publishes_as_it_goes() const { return false; }
  virtual Status BeginFrame(const Frame&, const Layout&) { return {}; }
  virtual Status EndFrame() { return {}; }
  /// The frame cannot be read, whether it was begun or not: nothing of it is kept. Finish publishes the other
  /// frames; `outcome.error` is set then, if the item fails for it.
  virtual void LoseFrame() {}

  /// After the last region: reads whatever else of the item's files goes into its outputs. The engine then
  /// looks whether they have changed meanwhile; Finish reads none of them.
  virtual Status ReadRest() { return {}; }
  /// After that: publishes outputs, fills `outputs`, `payload`, `notes` and `rung`.
  virtual Status Finish(Outcome& outcome) = 0;
};

/// Sees the rows of images that a run decodes anyway, in addition to the operations that it decodes them for,
/// unless memory is too short for both.
class RowObserver {
 public:
  virtual ~RowObserver() = default;
  /// Bytes that the task of Watch holds.
  virtual Footprint Cost(const Item& item, const ReadOptions& reading, const Layout& rows) const = 0;
  /// A task that gets the regions of this image, and Finish with an outcome that is not read; null if there
  /// is nothing to watch. Called on workers' threads. `item` outlives the task.
  virtual std::unique_ptr<ItemTask> Watch(const Item& item, const ReadOptions& reading,
                                          const Layout& rows) = 0;
};

/// What is the same for all images of a run.
struct OperationTraits {
  std::string name;
  /// Everything that determines the results besides the input's bytes: options, plan of numerics, versions.
  std::string fingerprint;
  /// The first image that is not recalled needs what Prepare makes, such as a model loaded.
  bool prepares = false;
  /// Judge never says kKeep, so that what follows has to wait for the reduce.
  bool judges_after_reduce = false;
  /// The work on an image leaves only facts in the catalog, which do no harm if it later turns out that the
  /// operation does not get that image.
  bool leaves_only_facts = false;
  /// Of its items every frame is read, so that they may be videos. Of the first of several operations.
  bool reads_videos = false;
  /// Of a broken file the readable part is taken; `fingerprint` says so, too.
  bool takes_broken = false;
};

/// One command's part of the shared engine. It contains no loop over files, no threads, no retries and no
/// progress bar.
class Operation {
 public:
  explicit Operation(OperationTraits traits) : traits_(std::move(traits)) {}
  virtual ~Operation() = default;
  const OperationTraits& traits() const { return traits_; }

  /// Paths of the images that are processed together with this one. Called once for each file, in the order
  /// of the listing, from one thread. The engine identifies and probes them like the item itself.
  virtual Result<std::vector<std::string>> FindPartners(const ListedFile& /*file*/) {
    return std::vector<std::string>();
  }
  /// Paths of files whose bytes go into its outputs, likewise. The engine identifies them.
  virtual std::vector<std::string> FindSidecars(const ListedFile& /*file*/) { return {}; }

  /// How the image is to be read and what it will hold, or why it cannot be processed. Called once it has
  /// been probed, before anything is leased for it.
  virtual Result<ItemPlan> Plan(const Item& item) const = 0;

  /// The rows of the item's own file, unless the plan is for every frame.
  virtual Result<std::unique_ptr<RowReader>> Open(const Item& item, const ItemPlan& plan) const;

  /// Fills `outcome` if an earlier run did all of it already: facts in the catalog, or finished outputs.
  /// Contents and upright sizes are known, headers are not.
  virtual Result<bool> Recall(const Item& /*item*/, Outcome& /*outcome*/) { return false; }

  /// For a plan or a dry run, of an item whose contents nobody knows yet: whether Recall might find it
  /// finished all the same, as where its files were only copied or touched. Its contents are looked at then.
  virtual bool MayBeFinished(const Item& /*item*/) const { return false; }

  /// For a dry run. The error is what Start would refuse before any pixel, such as an output of another
  /// source; no files means that the work would succeed and produce nothing, for example no tile.
  virtual Result<Prospect> Rehearse(const Item&) { return Prospect(); }

  /// Where the traits say so, called at most once, before the first image that is not recalled and while no
  /// lease is held. An error ends the run. Only called for the first of several operations.
  virtual Status Prepare() { return {}; }

  /// `item` and `plan` outlive the task.
  virtual Result<std::unique_ptr<ItemTask>> Start(const Item& item, const ItemPlan& plan) = 0;

  /// Called for an outcome that is not a failure; before Collect, from any thread.
  virtual Verdict Judge(const Outcome& /*outcome*/) const { return Verdict::kKeep; }

  /// Called for each outcome in the order of the listing, from one thread at a time.
  virtual void Collect(Outcome& outcome) = 0;

 private:
  OperationTraits traits_;
};

}  // namespace imgmill
