from custseg import characteristics as characteristics
from custseg import datasets as datasets
from custseg import exceptions as exceptions
from custseg import personas as personas
from custseg import plotting as plotting
from custseg import reporting as reporting
from custseg import segmentation as segmentation
from custseg import study as study
from custseg import targeting as targeting
from custseg import validation as validation
from custseg import weighting as weighting
from custseg._version import __version__ as __version__
from custseg.characteristics import (
    CampaignResponseFeaturizer as CampaignResponseFeaturizer,
    CharacteristicUnion as CharacteristicUnion,
    DemographicEncoder as DemographicEncoder,
    GeographicEncoder as GeographicEncoder,
    MultiSelectEncoder as MultiSelectEncoder,
    PreferenceEncoder as PreferenceEncoder,
    PsychographicEncoder as PsychographicEncoder,
    PurchaseBehaviorFeaturizer as PurchaseBehaviorFeaturizer,
    PurchasePathFeaturizer as PurchasePathFeaturizer,
    RFMFeaturizer as RFMFeaturizer,
    RFMScorer as RFMScorer,
    SocialMediaFeaturizer as SocialMediaFeaturizer,
    best_worst_counts as best_worst_counts,
    best_worst_scores as best_worst_scores,
    careless_responses as careless_responses,
    cronbach_alpha as cronbach_alpha,
    factorability as factorability,
    item_analysis as item_analysis,
    join_responses as join_responses,
    mcdonald_omega as mcdonald_omega,
    parallel_analysis as parallel_analysis,
    split_transactions as split_transactions,
)
from custseg.datasets import (
    load_complete_journey as load_complete_journey,
    make_customers as make_customers,
)
from custseg.personas import (
    PersonaDescriber as PersonaDescriber,
    SegmentRules as SegmentRules,
    SegmentTyping as SegmentTyping,
    describe_segments as describe_segments,
    needs_by_segment as needs_by_segment,
    outcomes_by_segment as outcomes_by_segment,
    profile_segments as profile_segments,
)
from custseg.reporting import (
    finding as finding,
    render_html as render_html,
    render_json as render_json,
    render_markdown as render_markdown,
    render_text as render_text,
    report_schema as report_schema,
    write_figures as write_figures,
    write_report as write_report,
)
from custseg.segmentation import (
    CharacteristicEmbedder as CharacteristicEmbedder,
    KPrototypesClusterer as KPrototypesClusterer,
    LatentClassClusterer as LatentClassClusterer,
    RFMSegmenter as RFMSegmenter,
    RuleSegmenter as RuleSegmenter,
    SegmentClusterer as SegmentClusterer,
    Segmentation as Segmentation,
    assign_segments as assign_segments,
    select_n_segments as select_n_segments,
    write_segments as write_segments,
)
from custseg.study import (
    SegmentationBrief as SegmentationBrief,
    SegmentationStudy as SegmentationStudy,
    load_study as load_study,
    store_study as store_study,
    trusted_types as trusted_types,
)
from custseg.targeting import (
    find_goal as find_goal,
    goals_to_frame as goals_to_frame,
    named_actions_to_frame as named_actions_to_frame,
    plan_actions as plan_actions,
    recommend as recommend,
)
from custseg.validation import (
    bootstrap_stability as bootstrap_stability,
    examine_segments as examine_segments,
    judge as judge,
    segment_separation as segment_separation,
    structure_test as structure_test,
    weight_sensitivity as weight_sensitivity,
)
from custseg.weighting import (
    ahp_weights as ahp_weights,
    best_worst_weights as best_worst_weights,
    constant_sum_weights as constant_sum_weights,
    rating_agreement as rating_agreement,
    rating_weights as rating_weights,
)
