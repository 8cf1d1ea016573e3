// The match command: vectors of the queries, the search, and what was found as text, CSV or JSON lines.
#include "imgmill/commands/match.h"

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <filesystem>

#include "base/path_parts.h"
#include "base/try.h"
#include "csv_cell.h"
#include "embed_operation.h"
#include "imgmill/base/path_text.h"
#include "imgmill/commands/flag_words.h"
#include "match_search.h"
#include "readable_file.h"
#include "text_queries.h"

namespace imgmill {
namespace {

/// Six digits: beyond them a cosine of floats is rounding.
double Rounded(float similarity) {
  return std::round(static_cast<double>(similarity) * 1e6) / 1e6;
}

std::string Digits(float similarity) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6f", static_cast<double>(similarity));
  return text;
}

/// What was found, with paths as the user would write them.
struct DescribedMatches {
  MatchQueryTable queries;
  FoundMatches found;
  std::string folder;  ///< canonical path of --in; empty if all of the catalog was searched
  std::string given;   ///< --in without slashes at its end

  /// Calls `each` with the path of each query and its neighbours.
  template <typename Each>
  Status ForEachQuery(const Each& each) const {
    RecordTable<std::vector<Neighbour>>::Reader neighbours(found.neighbours);
    return queries.ForEach([&](const MatchQuery& query) -> Status {
      const std::optional<std::vector<Neighbour>> nearest = TRY(neighbours.Next());
      return each(PrintablePath(query.path), *nearest);
    });
  }
  /// Calls `each` with the rank of each neighbour, from 1 on, its similarity and path.
  template <typename Each>
  Status ForEachMatch(const std::vector<Neighbour>& nearest, const Each& each) const {
    for (size_t i = 0; i < nearest.size(); ++i) {
      const std::string path = TRY(found.images.At(nearest[i].id));
      const std::string as_given = folder.empty() ? path : given + path.substr(folder.size());
      TRY(each(i + 1, nearest[i].similarity, PrintablePath(as_given)));
    }
    return {};
  }

  Status PutText(const std::string& format, const TextSink& put) const {
    TRY(put(format == "csv" ? "query,rank,similarity,path\r\n" : ""));
    return ForEachQuery([&](const std::string& query, const std::vector<Neighbour>& nearest) -> Status {
      TRY(put(format == "text" ? query + "\n" : std::string()));
      return ForEachMatch(nearest, [&](size_t rank, float similarity, const std::string& path) {
        return put(MatchLine(format, query, rank, similarity, path));
      });
    });
  }
  static std::string MatchLine(const std::string& format, const std::string& query, size_t rank,
                               float similarity, const std::string& path) {
    if (format == "csv") {
      return CsvQuoted(query) + "," + std::to_string(rank) + "," + Digits(similarity) + "," +
             CsvQuoted(path) + "\r\n";
    }
    if (format == "jsonl") {
      return nlohmann::ordered_json{
                 {"query", query}, {"rank", rank}, {"similarity", Rounded(similarity)}, {"path", path}}
                 .dump() +
             "\n";
    }
    return "  " + Digits(similarity) + "  " + path + "\n";
  }

  Status PutJson(JsonElements& elements) const {
    return ForEachQuery([&](const std::string& query, const std::vector<Neighbour>& nearest) {
      JsonObject json;
      json["query"] = query;
      json.SetRows("images", [&](JsonElements& images) {
        return ForEachMatch(nearest, [&](size_t, float similarity, const std::string& path) {
          return images.Put({{"path", path}, {"similarity", Rounded(similarity)}});
        });
      });
      return elements.Put(json);
    });
  }
};

class Match final : public Command {
 public:
  explicit Match(CLI::App& app);

  std::optional<std::string> Check() const override { return options_.Check(); }
  std::optional<std::string> CheckAlone(const SharedOptions& shared) const override {
    if (shared.no_catalog) return "match searches a catalog and does not work without one";
    if (shared.catalog.empty() && options_.in.empty()) {
      return "which images are searched? Name their folder with --in, or their catalog with --catalog";
    }
    if (std::error_code none; !options_.in.empty() && !std::filesystem::is_directory(options_.in, none)) {
      return "--in " + PrintablePath(options_.in) + " is not a folder";
    }
    return std::nullopt;
  }
  std::string weight_file() const override { return options_.embedding.model; }
  std::string defaults_file() const override { return options_.embedding.defaults_file(); }
  std::string catalog_of() const override { return options_.in; }
  bool needs_images() const override { return options_.texts.empty(); }

  Result<std::unique_ptr<CommandRun>> Begin(ItemSource&, const CommandServices& services) override;

 private:
  class MatchRun;

  void Describe(DescribedMatches matches, CommandResult& result) const {
    const uint64_t found = matches.found.count;
    const size_t texts = options_.texts.size();
    if (texts > 0) result.summary = std::to_string(texts) + (texts == 1 ? " text; " : " texts; ");
    result.summary += std::to_string(found) + (found == 1 ? " match" : " matches");
    const auto shared = std::make_shared<const DescribedMatches>(std::move(matches));
    result.text = [shared, format = options_.format](const TextSink& put) {
      return shared->PutText(format, put);
    };
    result.details.SetRows("matches", [shared](JsonElements& elements) { return shared->PutJson(elements); });
  }

  MatchOptions options_;
};

class Match::MatchRun final : public CommandRun {
 public:
  /// Queries leave no trace in the catalog that they ask: they would be found by the next ones.
  MatchRun(const Match& match, const CommandServices& services, OpenedEmbedding opened,
           std::unique_ptr<Catalog> own)
      : CommandRun(services),
        match_(match),
        services_(services),
        opened_(std::move(opened)),
        own_(std::move(own)),
        own_store_{own_.get(), nullptr},
        operation_(*opened_.embedder, opened_.store, &own_store_, services, /*needs_notes=*/false,
                   [this](EmbeddedImage& image) { Take(image); }) {
    engine.notes = own_.get();
    engine.observer = nullptr;
    options.workers = EmbeddingWorkers(match.options_.embedding, services);
    options.force = false;  // that would load the model for images that are embedded
    alone = true;
  }
  Operation& operation() override { return operation_; }

  /// Before the images, whose model is loaded when the first of them needs it.
  Status AddTexts() {
    const MatchOptions& asked = match_.options_;
    if (asked.texts.empty() || services_.shared->mode == RunMode::kPlan) return {};
    std::unique_ptr<VectorFile> file =
        TRY(VectorFile::Open("", opened_.embedder->kind(), opened_.store.file->dimension()));
    own_store_.file = std::move(file);
    return AddTextQueries(asked, services_, *own_store_.file, queries_);
  }

  Result<CommandResult> Reduce(CommandResult result) override {
    result.kept = files_;
    result.kept_images = images_;
    if (result.counts.interrupted) return result;
    const MatchOptions& asked = match_.options_;
    MatchQuestion question;
    question.fact = VectorFact(opened_.embedder->kind(), services_.shared->allow_truncated);
    question.folder = asked.in.empty() ? std::string() : CanonicalOrSame(asked.in);
    if (question.folder == "/") question.folder.clear();
    question.top = static_cast<size_t>(asked.top);
    question.least = static_cast<float>(asked.min_similarity);
    question.exclude_self = asked.exclude_self;
    FoundMatches found = TRY(SearchMatches(opened_.store, question, queries_, services_));
    opened_.embedder->Describe(result.details);
    std::string given = asked.in;
    while (given.size() > 1 && given.ends_with('/')) given.pop_back();
    match_.Describe({queries_, std::move(found), question.folder, given}, result);
    return result;
  }

 private:
  void Take(const EmbeddedImage& image) {
    ++images_;
    queries_.Add({image.file.path, image.absolute, image.place, image.vectors});
    if (services_.in_pipeline) files_.Add(image.file);
  }

  const Match& match_;
  const CommandServices& services_;
  OpenedEmbedding opened_;
  std::unique_ptr<Catalog> own_;
  VectorStore own_store_;
  MatchQueryTable queries_;  // texts, then images
  uint64_t images_ = 0;
  FileTable files_;  // of the queries, for a next step
  EmbedOperation operation_;
};

Result<std::unique_ptr<CommandRun>> Match::Begin(ItemSource&, const CommandServices& services) {
  OpenedEmbedding opened = TRY(OpenEmbedding(options_.embedding, services));
  if (!opened.store.file) {
    return Error{
        Stage::kConfigure, Code::kUsage,
        "the catalog " + PrintablePath(services.catalog->folder()) +
            " has no vectors of this kind: run imgmill embed on the same folder first, with the same "
            "--model options"};
  }
  std::unique_ptr<Catalog> own = TRY(Catalog::Open(""));
  auto run = std::make_unique<MatchRun>(*this, services, std::move(opened), std::move(own));
  TRY(run->AddTexts());
  return std::unique_ptr<CommandRun>(std::move(run));
}

Match::Match(CLI::App& app) {
  app.footer(
      "Example:\n"
      "  imgmill embed photos\n"
      "  imgmill match new.jpg --in photos --top 3\n"
      "  imgmill match --text 'a red bicycle' --in photos --model clip.safetensors --vocabulary "
      "bpe_simple_vocab_16e6.txt.gz");
  app.add_option("--text", options_.texts, "Find images that these words describe; may be repeated")
      ->allow_extra_args(false)
      ->type_name("TEXT");
  app.add_option("--vocabulary", options_.vocabulary,
                 "Vocabulary of the CLIP model's tokenizer, for --text: .txt or .txt.gz")
      ->type_name("FILE");
  app.add_option("--in", options_.in, "Search the embedded images below this folder")->type_name("DIR");
  app.add_option("--top", options_.top, "Images to find for each query")
      ->capture_default_str()
      ->type_name("N");
  app.add_option("--min-similarity", options_.min_similarity, "Least cosine similarity of a match, -1 to 1")
      ->capture_default_str()
      ->type_name("COSINE");
  app.add_flag("--exclude-self", options_.exclude_self, "A query's own file does not count as a match");
  TakesWords(app.add_option("--format", options_.format, "text, csv or jsonl"), {"text", "csv", "jsonl"})
      ->capture_default_str()
      ->type_name("NAME");
  AddEmbeddingFlags(app, options_.embedding);
}

}  // namespace

std::optional<std::string> MatchOptions::Check() const {
  if (top < 1 || top > 100000) return "--top takes 1 to 100000";
  if (!(min_similarity >= -1 && min_similarity <= 1)) return "--min-similarity takes -1 to 1";
  if (format != "text" && format != "csv" && format != "jsonl")
    return "--format takes text, csv or jsonl, not \"" + format + "\"";
  if (texts.empty() && !vocabulary.empty()) return "--vocabulary goes with --text";
  for (const std::string& text : texts) {
    if (text.empty()) return "--text is empty: say what to look for";
  }
  if (!texts.empty() && embedding.model.empty())
    return "--text needs --model FILE: the built-in descriptor knows how images look, not what words mean";
  if (!texts.empty() && vocabulary.empty())
    return "--text needs --vocabulary FILE: CLIP's bpe_simple_vocab_16e6.txt.gz, which the Python packages "
           "clip and open_clip_torch contain";
  if (!vocabulary.empty()) {
    if (auto wrong = CheckReadable(vocabulary, "vocabulary")) return wrong;
  }
  return embedding.Check();
}

std::unique_ptr<Command> AddMatch(CLI::App& app) {
  return std::make_unique<Match>(app);
}

}  // namespace imgmill
