// The match command: vectors of the queries, the search, and what was found as text, CSV or JSON lines.
#include "imgmill/commands/match.h"

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <filesystem>

#include "base/path_parts.h"
#include "csv_cell.h"
#include "embed_operation.h"
#include "imgmill/base/path_text.h"
#include "imgmill/commands/flag_words.h"
#include "match_search.h"

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

class Match final : public Command {
 public:
  explicit Match(CLI::App& app);

  std::optional<std::string> Check() const override { return options_.Check(); }
  std::optional<std::string> CheckAlone(const SharedOptions& shared) const override {
    if (shared.no_catalog) return "match searches a catalog: it cannot be without one";
    if (shared.catalog.empty() && options_.in.empty()) {
      return "which images are searched? Name their folder with --in, or their catalog with --catalog";
    }
    if (std::error_code none; !options_.in.empty() && !std::filesystem::is_directory(options_.in, none)) {
      return "--in " + PrintablePath(options_.in) + " is no folder";
    }
    return std::nullopt;
  }
  std::string weight_file() const override { return options_.embedding.model; }
  std::string defaults_file() const override { return options_.embedding.defaults_file(); }
  std::string catalog_of() const override { return options_.in; }

  Result<std::unique_ptr<CommandRun>> Begin(ItemSource&, const CommandServices& services) override;

 private:
  class MatchRun;

  void Describe(const std::vector<EmbeddedImage>& queries,
                const std::vector<std::vector<MatchedImage>>& matches, const std::string& folder,
                CommandResult& result) const {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    std::string text;
    if (options_.format == "csv") text = "query,rank,similarity,path\r\n";
    size_t found = 0;
    for (size_t q = 0; q < queries.size(); ++q) {
      const std::string& query = queries[q].file.path;
      if (options_.format == "text") text += PrintablePath(query) + "\n";
      nlohmann::ordered_json images = nlohmann::ordered_json::array();
      for (size_t i = 0; i < matches[q].size(); ++i) {
        const std::string path = AsGiven(matches[q][i].path, folder);
        const float similarity = matches[q][i].similarity;
        ++found;
        images.push_back({{"path", PrintablePath(path)}, {"similarity", Rounded(similarity)}});
        if (options_.format == "text") text += "  " + Digits(similarity) + "  " + PrintablePath(path) + "\n";
        if (options_.format == "csv") {
          text += CsvQuoted(PrintablePath(query)) + "," + std::to_string(i + 1) + "," + Digits(similarity) +
                  "," + CsvQuoted(PrintablePath(path)) + "\r\n";
        }
        if (options_.format == "jsonl") {
          text += nlohmann::ordered_json{{"query", PrintablePath(query)},
                                         {"rank", i + 1},
                                         {"similarity", Rounded(similarity)},
                                         {"path", PrintablePath(path)}}
                      .dump() +
                  "\n";
        }
      }
      list.push_back({{"query", PrintablePath(query)}, {"images", std::move(images)}});
    }
    result.text = WholeText(std::move(text));
    result.details["matches"] = std::move(list);
    result.summary = std::to_string(found) + (found == 1 ? " match" : " matches");
  }

  /// A path below --in as the user would write it.
  std::string AsGiven(const std::string& path, const std::string& folder) const {
    if (folder.empty()) return path;
    std::string given = options_.in;
    while (given.size() > 1 && given.ends_with('/')) given.pop_back();
    return given + path.substr(folder.size());
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
                   [this](EmbeddedImage& image) { queries_.push_back(std::move(image)); }) {
    engine.notes = own_.get();
    engine.observer = nullptr;
    options.workers = EmbeddingWorkers(match.options_.embedding, services);
    options.force = false;  // that would load the model for images that are embedded
    alone = true;
  }
  Operation& operation() override { return operation_; }
  OutcomeLog& log() override { return operation_.log(); }

  Result<CommandResult> Reduce(CommandResult result) override {
    for (const EmbeddedImage& query : queries_) result.kept.Add(query.file);
    result.kept_images = queries_.size();
    if (result.counts.interrupted) return result;
    const MatchOptions& asked = match_.options_;
    MatchQuestion question;
    question.fact = VectorFact(opened_.embedder->kind(), services_.shared->allow_truncated);
    question.folder = asked.in.empty() ? std::string() : CanonicalOrSame(asked.in);
    if (question.folder == "/") question.folder.clear();
    question.top = static_cast<size_t>(asked.top);
    question.least = static_cast<float>(asked.min_similarity);
    question.exclude_self = asked.exclude_self;
    Result<std::vector<std::vector<MatchedImage>>> matches =
        SearchMatches(opened_.store, question, queries_, services_);
    if (!matches) return matches.error();
    opened_.embedder->Describe(result.details);
    match_.Describe(queries_, *matches, question.folder, result);
    return result;
  }

 private:
  const Match& match_;
  const CommandServices& services_;
  OpenedEmbedding opened_;
  std::unique_ptr<Catalog> own_;
  VectorStore own_store_;
  std::vector<EmbeddedImage> queries_;
  EmbedOperation operation_;
};

Result<std::unique_ptr<CommandRun>> Match::Begin(ItemSource&, const CommandServices& services) {
  Result<OpenedEmbedding> opened = OpenEmbedding(options_.embedding, services);
  if (!opened) return opened.error();
  if (!opened->store.file) {
    return Error{
        Stage::kConfigure, Code::kUsage,
        "the catalog " + PrintablePath(services.catalog->folder()) +
            " has no vectors of this kind: run imgmill embed on the same folder first, with the same "
            "--model options"};
  }
  Result<std::unique_ptr<Catalog>> own = Catalog::Open("");
  if (!own) return own.error();
  return std::unique_ptr<CommandRun>(
      std::make_unique<MatchRun>(*this, services, *std::move(opened), *std::move(own)));
}

Match::Match(CLI::App& app) {
  app.footer(
      "Example:\n"
      "  imgmill embed photos\n"
      "  imgmill match new.jpg --in photos --top 3");
  app.add_option("--in", options_.in, "Search the embedded images below this folder")->type_name("DIR");
  app.add_option("--top", options_.top, "Images to find for each query")
      ->capture_default_str()
      ->type_name("N");
  app.add_option("--min-similarity", options_.min_similarity, "Cosine that a match has at least, -1 to 1")
      ->capture_default_str()
      ->type_name("COSINE");
  app.add_flag("--exclude-self", options_.exclude_self, "A query's own file is no match");
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
  return embedding.Check();
}

std::unique_ptr<Command> AddMatch(CLI::App& app) {
  return std::make_unique<Match>(app);
}

}  // namespace imgmill
